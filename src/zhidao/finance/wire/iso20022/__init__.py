"""ISO 20022 messages of payments: read strictly, judged by usage rules, and written."""
