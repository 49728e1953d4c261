"""Bytes of financial messages and back."""
