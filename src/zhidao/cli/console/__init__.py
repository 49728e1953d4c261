"""What the commands share: settings, files out, progress, a node far away."""
