"""Suites of the room `trust`."""
