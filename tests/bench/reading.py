"""Reading alone, in one process: `parse` and `classify` of the mailbox's messages under 60 kB; no server, no store.

Prints seconds for the rules to load, then messages a second: parse, parse and classify.
"""

import sys
import time

from mailbot.reading import Reader
from tests.bench.mailbox import LANGUAGES, message

MOST_BYTES = 60_000


def main() -> None:
    """How many messages."""
    raws = [raw for number in range(int(sys.argv[1])) if len(raw := message(number)) < MOST_BYTES]
    reader = Reader()
    started = time.process_time()
    reader.warm()
    for raw in raws[: len(LANGUAGES)]:  # the rules of a language are compiled with its first mail
        reader.judge(reader.read(raw))
    loaded = time.process_time()
    messages = [reader.read(raw) for raw in raws]
    parsed = time.process_time()
    for found in messages:
        reader.judge(found)
    judged = time.process_time()
    print(loaded - started, len(raws) / (parsed - loaded), len(raws) / (judged - loaded))


if __name__ == "__main__":
    main()
