"""One entry, all documents, named conflicts, and the journey [digital trade]."""
