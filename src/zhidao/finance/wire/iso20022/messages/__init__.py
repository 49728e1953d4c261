"""One module for each family of messages, and the door to all."""
