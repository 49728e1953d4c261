"""Payment versus payment between two ledgers, and quotes for it."""
