"""Proof files, whole and packed."""
