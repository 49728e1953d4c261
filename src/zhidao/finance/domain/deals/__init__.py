"""Deals, escrows and their conditions as folds of their histories."""
