"""The one place that builds adapters and hands rooms to each other."""
