"""Names of any script, compared with lists of sanctioned persons."""
