"""Where satellites were: ephemerides, precise orbits, corrections."""
