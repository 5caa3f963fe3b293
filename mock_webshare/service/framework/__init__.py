"""What Django and Django REST framework do with a request, apart from any endpoint."""
