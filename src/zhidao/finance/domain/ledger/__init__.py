"""The double-entry ledger: its values, its machine, its proofs."""
