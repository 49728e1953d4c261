"""Lists as people read them: one shape, one order, one cursor for every list of the node."""
