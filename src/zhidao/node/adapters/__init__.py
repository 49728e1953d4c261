"""What the node itself keeps outside: key files, tables of callers, the system's clock."""
