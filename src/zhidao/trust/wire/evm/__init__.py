"""What an EVM reads: ABI, RLP, Keccak, transactions, contracts."""
