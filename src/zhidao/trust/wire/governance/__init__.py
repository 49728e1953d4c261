"""Trust lists and the statements that change them."""
