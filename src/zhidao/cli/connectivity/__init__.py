"""Commands of the connectivity room: BeiDou short messages."""
