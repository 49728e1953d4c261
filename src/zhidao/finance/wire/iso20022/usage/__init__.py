"""Usage rules, and how many payments are held to them fast."""
