"""Sheets to PDF/A by typst, an extra."""
