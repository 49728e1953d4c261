"""Use cases of an exchange, and what they ask of the world."""
