"""What outsiders and the command line use of finance without a node."""
