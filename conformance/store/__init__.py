"""Suites of the room `store`."""
