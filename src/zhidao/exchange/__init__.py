"""Sealed delivery between organisations: envelopes, outbox and inbox, receipts, peers."""
