"""Precise point positioning: one receiver, corrected orbits and clocks, carrier phases."""
