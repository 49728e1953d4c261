"""Text that people give: what of it nobody sees."""
