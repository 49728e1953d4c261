"""Checking a consignment's proof from its bytes alone: no node, no database, no network."""
