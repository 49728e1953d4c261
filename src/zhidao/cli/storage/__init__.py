"""Commands about what the database keeps: where its tables lie, and days that are archived."""
