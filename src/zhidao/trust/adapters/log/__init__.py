"""Storages of the log, and what stands beside them."""
