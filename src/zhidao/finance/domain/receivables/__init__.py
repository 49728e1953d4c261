"""Receivables, what they come to, and how they are netted."""
