"""Payment versus payment, and the exchange of currencies in integers."""
