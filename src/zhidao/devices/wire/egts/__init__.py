"""EGTS, the protocol of GOST 33465 and GOST 33472: trackers, and platforms that pass theirs on."""
