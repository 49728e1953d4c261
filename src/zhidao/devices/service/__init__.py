"""Use cases of the devices room."""
