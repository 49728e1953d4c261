"""Search: what a caller may see, found by the beginning of a name, however it is typed."""
