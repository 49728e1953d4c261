"""A corridor's border crossings: how long they take, with bounds, out of reports of vehicles."""
