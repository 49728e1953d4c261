"""The log: entries, sequencer, reader, register of keys."""
