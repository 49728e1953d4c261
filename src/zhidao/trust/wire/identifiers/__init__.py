"""Decentralised identifiers and their documents."""
