"""Routes of the industry room."""
