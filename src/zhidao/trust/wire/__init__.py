"""Bytes of notes, tiles, trust lists, proof files, credentials and transactions."""
