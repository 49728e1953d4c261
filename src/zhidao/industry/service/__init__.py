"""Use cases of the industry room: production orders and finished lots."""
