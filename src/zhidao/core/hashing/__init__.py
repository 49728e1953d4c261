"""Merkle trees over SHA-256: in plain Python, and many messages side by side."""
