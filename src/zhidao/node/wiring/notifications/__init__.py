"""Builds notifications: settings, channels out, who is told what."""
