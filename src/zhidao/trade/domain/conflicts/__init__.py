"""The cross-check table XD-01 to XD-36 over a whole document set."""
