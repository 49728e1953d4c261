"""What runs while the node runs: jobs, workers, relay, consumers."""
