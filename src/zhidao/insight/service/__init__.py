"""Use cases: make a report of an opened log."""
