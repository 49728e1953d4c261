"""Builds what who runs the node looks at."""
