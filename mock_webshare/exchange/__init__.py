"""A recorded request and its response: what is kept of them, how they are written, without secrets."""
