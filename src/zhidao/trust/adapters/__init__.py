"""The outside things of trust: log storage, the chain engine."""
