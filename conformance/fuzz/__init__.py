"""What damaged input is made of, by room."""
