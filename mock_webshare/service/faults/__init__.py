"""Faults: errors, delays, broken connections and drifts on command."""
