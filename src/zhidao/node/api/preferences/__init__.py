"""Routes of a person's own choices about the pages."""
