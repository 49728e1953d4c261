"""ISO 20022 messages: pacs.008.001.08 and camt.054.001.08, written and read."""
