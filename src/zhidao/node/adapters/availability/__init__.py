"""Plans of three machines as folders, and the machines as they answer."""
