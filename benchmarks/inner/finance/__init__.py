"""Inner figures of finance. See `benchmarks/__main__.py`."""
