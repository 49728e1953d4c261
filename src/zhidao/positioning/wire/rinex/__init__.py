"""RINEX 2, 3 and 4, read and written; Compact RINEX."""
