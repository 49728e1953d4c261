"""Relative positioning by carrier phases: double differences and whole-number ambiguities."""
