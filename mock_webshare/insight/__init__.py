"""Insight: what the requests of a client reveal about the client."""
