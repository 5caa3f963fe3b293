"""Recorded traffic, and the judge of it, who knows nothing of the mock and is not known to it."""
