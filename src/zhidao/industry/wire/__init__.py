"""Bytes of the industry room: EPCIS documents."""
