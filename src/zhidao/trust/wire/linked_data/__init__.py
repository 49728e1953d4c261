"""JSON-LD, canonical RDF, CBOR and pointers into JSON."""
