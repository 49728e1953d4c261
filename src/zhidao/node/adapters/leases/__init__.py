"""Where leases stand: PostgreSQL, and a memory twin under the same contract."""
