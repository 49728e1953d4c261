"""Reports recomputed from the log alone [insight report, standards, talent]."""
