"""What outsiders and the command line use of trade without a node: bytes in, answers out."""
