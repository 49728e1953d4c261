"""Bytes of terminals to values and back."""
