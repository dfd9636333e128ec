"""An SMTP server for measuring, in a process of its own: prints its port, ends with its standard input."""

import sys

from tests.servers.smtp_sink import SmtpSink

if __name__ == "__main__":
    with SmtpSink() as sink:
        print(sink.port, flush=True)
        sys.stdin.read()
