"""A consignment as one road: a read model made from events alone, for the page and for export."""
