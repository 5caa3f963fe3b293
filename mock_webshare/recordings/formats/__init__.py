"""The formats of recordings, a module each."""
