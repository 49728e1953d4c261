"""Inner benchmarks of the node."""
