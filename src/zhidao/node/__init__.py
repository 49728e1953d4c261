"""Composition: config, wiring, relay, API and page [operating systems]."""
