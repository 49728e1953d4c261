"""Deals and escrows, from promise to settlement."""
