"""Routes of the log, its witnesses and mirrors, and of titles."""
