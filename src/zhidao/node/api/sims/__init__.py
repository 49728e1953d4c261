"""Routes about SIMs: who asked where they are, and whether networks confirm a way."""
