"""Programs that this one starts: those that die with it, and those of a server of forks."""
