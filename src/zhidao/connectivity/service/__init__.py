"""Use cases of the connectivity room."""
