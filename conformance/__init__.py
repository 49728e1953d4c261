"""Outside suites: one module each, run by `python -m conformance [SUITE]`."""
