"""The outside of the devices room: PostgreSQL, TCP, and the memory twin."""
