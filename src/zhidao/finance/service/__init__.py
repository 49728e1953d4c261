"""Use cases of money: accounts, the ledger's validator, deals and their settlement."""
