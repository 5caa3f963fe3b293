"""Live traffic: the only room that connects to a real service, to record it or to probe it."""
