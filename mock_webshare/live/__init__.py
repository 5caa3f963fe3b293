"""Live traffic: the only part of the house that talks to a real service, to record it and to ask it."""
