"""Titles: acts of their holders, change of medium, their history."""
