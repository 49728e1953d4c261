"""A position from one receiver alone, by least squares."""
