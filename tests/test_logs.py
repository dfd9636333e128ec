"""What is logged can be read by a person on a terminal and by a program under systemd."""

import json
import os
import subprocess
import sys

SAYS = (
    "import logging; from mailbot import cli; cli._logging(True);"
    "logging.getLogger('mailbot').warning('%s', 'imap.security (\"tls\" or \"starttls\")\\nä')"
)


def _said(**environment: str) -> str:
    before = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
    done = subprocess.run(
        [sys.executable, "-c", SAYS], capture_output=True, text=True, check=True, env={**before, **environment}
    )
    return done.stderr


def test_the_journal_gets_json_whatever_a_message_holds() -> None:
    """Quotes, line breaks and letters beyond ASCII: one line, one JSON object."""
    (line,) = _said(JOURNAL_STREAM="8:1").splitlines()
    assert json.loads(line) == {
        "level": "WARNING", "logger": "mailbot", "message": 'imap.security ("tls" or "starttls")\nä'
    }  # fmt: skip


def test_a_terminal_gets_text() -> None:
    """The same message as a person reads it."""
    assert _said().startswith('WARNING mailbot: imap.security ("tls" or "starttls")')
