"""Who may ask what: tokens, persons, sessions, one-time codes, signed requests."""
