"""Values and pure rules of trust: trees, notes, proofs, credentials, titles."""
