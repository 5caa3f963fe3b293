"""Worlds: each is all the state of one API key."""
