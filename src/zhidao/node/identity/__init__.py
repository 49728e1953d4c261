"""Who the node is and for whom it signs: keys, parties, its trust list."""
