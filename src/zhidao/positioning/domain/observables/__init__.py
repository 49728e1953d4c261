"""What receivers measured, in tables, and how signals are named."""
