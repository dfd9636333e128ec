"""The floor of sending: aiosmtplib, one reused connection, no memory of anything.

`python -m tests.bench.reused PORT COUNT`.
"""

import asyncio
import sys

import aiosmtplib

from tests.bench.notice import mail


async def _send(port: int, count: int) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as client:
        for number in range(count):
            message_id = f"<{number}.bench@example.com>"
            await client.sendmail("privacy@example.com", ["anna@example.org"], mail(message_id))


if __name__ == "__main__":
    asyncio.run(_send(int(sys.argv[1]), int(sys.argv[2])))
