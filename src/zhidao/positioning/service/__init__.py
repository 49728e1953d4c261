"""Use cases: navigation, arrivals, evidence."""
