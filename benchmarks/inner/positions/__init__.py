"""Inner figures of positioning. See `benchmarks/__main__.py`."""
