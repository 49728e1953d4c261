"""Navigation messages as satellites send them, to ephemerides."""
