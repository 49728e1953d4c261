"""Certificates of a node: its own, and the authority that vouches for it."""
