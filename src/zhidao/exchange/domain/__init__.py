"""Values of an exchange and the rules about them."""
