"""What receivers and casters speak: UBX, NMEA, NTRIP."""
