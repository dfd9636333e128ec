"""The mail that is sent while sending is measured."""

MAIL_BYTES = 8_000


def mail(message_id: str) -> bytes:
    """A notice as large as ours are."""
    head = f"From: privacy@example.com\r\nTo: anna@example.org\r\nSubject: Notice\r\nMessage-ID: {message_id}\r\n\r\n"
    line = "A line of a notice to staff, as long as lines of mails are.\r\n"
    return (head + line * (MAIL_BYTES // len(line))).encode()
