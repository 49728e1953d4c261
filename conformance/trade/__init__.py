"""Suites of the room `trade`."""
