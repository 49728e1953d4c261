"""Commands of the devices room: terminals and seals of a running node."""
