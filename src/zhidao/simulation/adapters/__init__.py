"""What the simulation reads of a node that it may not ask: its own disk, after it ended."""
