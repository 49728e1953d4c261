"""Commands around a backup: made, brought back, tried."""
