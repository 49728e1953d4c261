"""Bytes to tables and back: RINEX observations and navigation, evidence."""
