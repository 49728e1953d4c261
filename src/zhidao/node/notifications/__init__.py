"""Notifications: what waits for a person is told outside of the pages, by mail, push or webhook."""
