"""What positioning asks of the world: one module for each outside thing."""
