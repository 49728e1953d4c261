"""Commands for a node on several machines."""
