"""The EVM in this process or over JSON-RPC, its contracts and snapshots."""
