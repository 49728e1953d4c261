"""Payments between customers and banks, and their recalls."""
