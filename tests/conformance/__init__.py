"""Whether the server responds byte for byte like a real Django REST framework application."""
