"""Witnesses and mirrors: cosigning, watching, proof of two histories."""
