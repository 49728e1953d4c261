"""Precise orbits, clocks, antennas, and PPP-B2b corrections."""
