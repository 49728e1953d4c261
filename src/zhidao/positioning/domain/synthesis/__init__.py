"""Signals that no satellite sent: a constellation and the ranges a receiver would have measured."""
