"""XPath 2.0 as business rules use it, compiled to Python closures over a snapshot of a tree."""
