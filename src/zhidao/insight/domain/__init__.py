"""Pure rules of a report: what a figure is, and which leaves it rests on."""
