"""A corridor on virtual time: trajectories, faults, lies; the scenario of the demo."""
