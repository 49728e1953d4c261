"""The node's HTTP face: one module a room, one for callers, one for timelines, one for health."""
