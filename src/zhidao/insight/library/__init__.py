"""What outsiders and the command line use of insight without a node: bytes in, answers out."""
