"""A report as bytes: one HTML page, or JSON."""
