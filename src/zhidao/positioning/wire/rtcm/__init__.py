"""RTCM 10403.3 messages: framing, station, ephemerides, multiple signal messages (MSM)."""
