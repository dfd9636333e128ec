"""Real servers on loopback for tests: Dovecot, an SMTP sink, PostgreSQL. None of them needs pytest."""
