"""Frozen values and pure rules of money: the ledger's machine, deals, payments."""
