"""Where notifications are kept, and the channels on which they leave the node."""
