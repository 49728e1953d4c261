"""Suites of the room `industry`."""
