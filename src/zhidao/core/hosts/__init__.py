"""Hosts of others: what is read of an answer."""
