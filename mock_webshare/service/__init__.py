"""The mocked service: a request is data, a response is data; nothing here knows sockets."""
