"""Suites of the room `devices`."""
