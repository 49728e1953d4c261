"""Files that people give and take: what is read of one, and how a result is written."""
