"""Movements of a consignment: one event, its state whatever the order, and what went wrong."""
