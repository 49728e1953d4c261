"""Where exchanges are kept and how they travel."""
