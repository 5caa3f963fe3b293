"""What Django and Django REST framework do with any request."""
