"""Inner figures of industry. See `benchmarks/__main__.py`."""
