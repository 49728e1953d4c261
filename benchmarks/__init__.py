"""One module a claim: `python -m benchmarks NAME` measures it."""
