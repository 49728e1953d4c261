"""Routes of documents between nodes."""
