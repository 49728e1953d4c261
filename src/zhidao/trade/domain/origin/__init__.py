"""Preferential origin from a bill of materials, and the duty and tax that follow."""
