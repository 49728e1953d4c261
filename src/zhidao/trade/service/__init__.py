"""Use cases of trade: enter, add, check, release, deliver, validate."""
