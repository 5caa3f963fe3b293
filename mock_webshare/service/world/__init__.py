"""Worlds: all state that belongs to one API key."""
