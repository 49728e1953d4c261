"""BeiDou and GNSS: from raw observations to a proven place [BeiDou navigation and positioning]."""
