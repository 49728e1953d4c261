"""Positions as files and as plots."""
