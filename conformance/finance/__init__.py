"""Suites of the room `finance`."""
