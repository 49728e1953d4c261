"""The outside things of trade: rule packs on disk and the process that runs them."""
