"""Routes of the devices room: terminals, seals, commands."""
