"""The canonical consignment: its fields, their forms, and where each value came from."""
