"""A recorded request and its response: what is kept, how secrets are removed, how it is written."""
