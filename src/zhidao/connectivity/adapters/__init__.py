"""The outside of the connectivity room."""
