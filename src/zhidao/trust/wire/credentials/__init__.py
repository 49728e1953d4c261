"""Credentials and their proofs as bytes."""
