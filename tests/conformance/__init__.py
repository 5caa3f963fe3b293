"""Whether the server answers byte for byte like a real Django REST framework application."""
