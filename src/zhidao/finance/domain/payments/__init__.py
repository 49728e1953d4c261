"""Payments: messages, legs in the ledger, statements, approvals."""
