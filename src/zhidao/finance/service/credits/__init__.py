"""Documentary credits, from opening to honour."""
