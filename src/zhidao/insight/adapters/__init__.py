"""Repositories on disk, read through git's plumbing."""
