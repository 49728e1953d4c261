"""Use cases of trust: the log, credentials, titles."""
