"""How messages are built: grammar, frames, outlines, parts."""
