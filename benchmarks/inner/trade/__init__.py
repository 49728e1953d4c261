"""Inner figures of trade. See `benchmarks/__main__.py`."""
