"""Documents as tables of places: what each says of the consignment, both ways."""
