"""Inner figures of the exchange. See `benchmarks/__main__.py`."""
