"""Teltonika's AVL protocol: codecs 8, 8 Extended and 16 over TCP and UDP, 12 to 14 for commands."""
