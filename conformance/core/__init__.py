"""Suites of the room `core`."""
