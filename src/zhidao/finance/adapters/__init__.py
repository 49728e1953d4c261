"""What finance asks of the world, one file per outside thing."""
