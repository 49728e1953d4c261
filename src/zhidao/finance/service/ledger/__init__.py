"""Accounts, transfers, statements, reports and proofs of the ledger."""
