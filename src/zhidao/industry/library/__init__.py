"""What commands ask of the room without a node."""
