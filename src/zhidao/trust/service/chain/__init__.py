"""Titles on a chain: executed here, or followed on a chain of others."""
