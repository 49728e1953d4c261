"""Routes of consignments and their papers."""
