"""A consignment's timeline: a read model made from events alone, for the page and for export."""
