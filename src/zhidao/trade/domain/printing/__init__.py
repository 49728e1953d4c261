"""A document as a person reads it on paper: labels in two languages, sections, tables, sums."""
