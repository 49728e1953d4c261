"""Frozen values and pure rules of positioning: tables, orbits, solutions, bounds."""
