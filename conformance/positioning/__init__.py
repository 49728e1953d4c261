"""Suites of the room `positioning`."""
