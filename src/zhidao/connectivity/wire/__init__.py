"""Bytes of short messages to values and back."""
