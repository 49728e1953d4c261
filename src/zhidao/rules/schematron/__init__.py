"""Schematron rules: read from their published forms, written compactly, run as closures."""
