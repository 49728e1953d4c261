"""Commands of the industry room."""
