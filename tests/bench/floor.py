"""The floor: the least that any program built on the same libraries would do to read a mailbox. A process of its own.

imapclient fetches structure and text parts in batches, langdetect guesses the language of 400 characters with eight
profiles, and one small durable SQLite transaction is written for each message. It parses nothing, recognises nothing,
answers nobody; what it prints is how many messages it read.
"""

import binascii
import sqlite3
import sys
from collections import defaultdict
from typing import Any

import imapclient
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.lang_detect_exception import LangDetectException

BATCH = 100
CHARACTERS = 400
HEADERS = "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)]"
LANGUAGES = ("fi", "sv", "en", "et", "de", "fr", "ru", "no")


def main() -> None:
    """port, user, password, database file."""
    port, user, password, database = sys.argv[1:]
    factory = _profiles()
    db = sqlite3.connect(database, isolation_level=None)
    db.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE seen (uid INTEGER PRIMARY KEY, lang)"
    )
    client = imapclient.IMAPClient("127.0.0.1", port=int(port), ssl=False)
    client.login(user, password)
    client.select_folder("INBOX", readonly=True)
    uids, read = client.search(), 0
    for start in range(0, len(uids), BATCH):
        for uid, text in _texts(client, uids[start : start + BATCH]):
            db.execute("INSERT INTO seen VALUES (?, ?)", (uid, _language(factory, text)))
            read += 1
    client.logout()
    print(read)


def _texts(client: Any, uids: list[int]) -> list[tuple[int, str]]:
    structures = client.fetch(uids, ["BODYSTRUCTURE"])
    sections = defaultdict(list)
    for uid in uids:
        sections[_first_text(structures[uid][b"BODYSTRUCTURE"])].append(uid)
    found = []
    for (section, coding), members in sections.items():
        answers = client.fetch(members, [f"BODY.PEEK[{section}]", HEADERS])
        found += [(uid, _decoded(answer[f"BODY[{section}]".encode()], coding)) for uid, answer in answers.items()]
    return sorted(found)


def _first_text(part: Any, section: str = "") -> tuple[str, bytes]:
    if isinstance(part[0], list):
        return _first_text(part[0][0], f"{section}.1" if section else "1")
    return section or "1", part[5].lower()


def _decoded(raw: bytes, coding: bytes) -> str:
    return (binascii.a2b_base64(raw) if coding == b"base64" else raw).decode("utf-8", "replace")


def _profiles() -> Any:
    factory = DetectorFactory()
    factory.load_json_profile([_read(language) for language in LANGUAGES])
    return factory


def _read(language: str) -> str:
    with open(f"{PROFILES_DIRECTORY}/{language}", encoding="utf-8") as file:
        return file.read()


def _language(factory: Any, text: str) -> str:
    detector = factory.create()
    detector.append(text[:CHARACTERS])
    try:
        return str(detector.detect())
    except LangDetectException:
        return "unknown"


if __name__ == "__main__":
    main()
