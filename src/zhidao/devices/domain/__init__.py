"""Values and rules of terminals, windows, seals and tracks."""
