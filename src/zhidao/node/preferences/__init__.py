"""What a person chose of how pages look, kept at the node so that every browser has it."""
