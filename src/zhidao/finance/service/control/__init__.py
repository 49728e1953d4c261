"""What stands before money moves: approvals, limits, screening, locks."""
