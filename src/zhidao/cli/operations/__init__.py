"""The commands of who runs a node: serve, doctor, backup, keys, demo."""
