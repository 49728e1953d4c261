"""The registry of receivables, passports of credit, netting."""
