"""Bytes of an exchange: envelopes, receipts, cards, bundles, signed requests."""
