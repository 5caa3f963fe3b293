"""Faults: what goes wrong on command."""
