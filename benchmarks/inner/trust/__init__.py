"""Inner figures of trust. See `benchmarks/__main__.py`."""
