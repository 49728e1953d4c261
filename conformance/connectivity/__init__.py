"""Suites of the room `connectivity`."""
