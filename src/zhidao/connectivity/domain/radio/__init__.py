"""Whether radio reaches a terminal: path loss, link budget, a route's stretches."""
