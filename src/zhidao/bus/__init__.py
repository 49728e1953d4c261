"""NATS: facts in log order to whoever listens, one interface for it and a memory twin."""
