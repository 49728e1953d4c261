"""How the node fares: health, metrics, alarms, check-up, backup, gates."""
