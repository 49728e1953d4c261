"""What networks see, and whether it agrees with a fix."""
