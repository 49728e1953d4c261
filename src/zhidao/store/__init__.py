"""PostgreSQL: sessions, journals, outbox, migrations, embedded server, backup [databases]."""
