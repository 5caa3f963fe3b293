"""The mocked service: requests and responses are data; it knows no sockets."""
