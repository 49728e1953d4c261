"""One consignment on several nodes: facts are shared with proof, acts are asked for and signed."""
