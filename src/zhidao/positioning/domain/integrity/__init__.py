"""Whether a position may be believed, and how far it is bounded."""
