"""Where a witness keeps the heads that it has signed."""
