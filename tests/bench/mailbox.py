"""The mailbox that is measured: made by itself, the same every time, and put straight into Dovecot's Maildir.

Of each hundred messages twenty are HTML, ten carry a file of 100 kB, fifteen are replies with quoted history and ten
ask for a right. The rest is what any small company gets. Names, order numbers and amounts differ from mail to mail,
so that no cache sees the same text twice; nothing here teaches or tests the recogniser.
"""

import base64
import os
import random
import shutil
from datetime import UTC, datetime, timedelta
from email.header import Header
from pathlib import Path

from tests.bench.words import DULL, HISTORY, NAMES, REQUESTS, SUBJECTS

FILE_BYTES = 100 * 1024
LANGUAGES = ("fi", "sv", "en")
SPREAD = timedelta(days=30)  # the mails arrived in the last 30 days, so that a first scan of 35 reads all


def fill(maildir: Path, count: int, *, first: int = 0, requests: bool = True) -> None:
    """Writes `count` messages into a Maildir, owned like the Maildir's parent folder."""
    owner = maildir.parent.stat()
    for name in ("", "cur", "new", "tmp"):
        folder = maildir / name
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, owner.st_uid, owner.st_gid)
    start = datetime.now(UTC) - SPREAD
    for number in range(first, first + count):
        raw = message(number, requests=requests)
        moment = start + SPREAD * (number - first) / max(1, count + 1)
        path = maildir / "cur" / f"{int(moment.timestamp())}.M{number:06d}P1.bench,S={len(raw)}:2,"
        path.write_bytes(raw)
        os.utime(path, (moment.timestamp(), moment.timestamp()))
        shutil.chown(path, owner.st_uid, owner.st_gid)


def message(number: int, *, requests: bool = True) -> bytes:
    """The bytes of one message with that number, always the same."""
    chance = random.Random(number)
    language = LANGUAGES[number % 3]
    kind = number // 3 % 100  # spreads every kind evenly over the languages
    asks = requests and kind % 10 == 0
    name = chance.choice(NAMES[language])
    text = _filled(chance.choice(REQUESTS[language]), chance) if asks else _letter(language, chance)
    text = f"{text}\n\n{name}\n"
    subject = chance.choice(SUBJECTS[language])
    if kind % 20 in (3, 9, 15):
        text += "\n" + HISTORY[language].format(who=name, quoted=_quoted(_letter(language, chance)))
        subject = {"fi": "VS: ", "sv": "SV: ", "en": "Re: "}[language] + subject
    part = _html(text) if kind % 5 == 1 else _plain(text, chance)
    if kind % 10 == 4:
        part = _with_file(part, number, chance)
    return _headers(number, name, subject, chance) + part


def _filled(template: str, chance: random.Random) -> str:
    numbers = {"number": chance.randint(10000, 99999), "amount": chance.randint(20, 4000), "day": chance.randint(1, 28)}
    return template.format(**numbers)


def _letter(language: str, chance: random.Random) -> str:
    chosen = chance.sample(DULL[language], chance.randint(2, 5))
    return "\n\n".join(_filled(text, chance) for text in chosen)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _headers(number: int, name: str, subject: str, chance: random.Random) -> bytes:
    address = f"{name.split()[0].lower().encode('ascii', 'ignore').decode()}{number}@customer.example"
    day = datetime(2026, 11, 2, 8, tzinfo=UTC) + timedelta(minutes=number % 1440)
    relay = f"mx{chance.randint(1, 9)}.example.com"
    lines = [
        f"Return-Path: <{address}>",
        *(f"Received: from host{hop}.customer.example (host{hop}.customer.example [192.0.2.{hop + 1}])\n"
          f"\tby {relay} (Postfix) with ESMTPS id {chance.getrandbits(40):010X}\n"
          f"\tfor <privacy@example.com>; {day:%a, %d %b %Y %H:%M:%S} +0000" for hop in range(3)),
        f"Authentication-Results: {relay}; spf=pass smtp.mailfrom=customer.example; dkim=pass header.d=example",
        f"DKIM-Signature: v=1; a=rsa-sha256; d=customer.example; s=a; b={chance.getrandbits(1024):0256x}",
        f"Message-ID: <{chance.getrandbits(96):024x}.{number}@customer.example>",
        f"Date: {day:%a, %d %b %Y %H:%M:%S} +0000",
        f"From: {Header(name, 'utf-8').encode()} <{address}>",
        "To: privacy@example.com",
        f"Subject: {Header(subject, 'utf-8').encode()}",
        "MIME-Version: 1.0",
    ]  # fmt: skip
    return _crlf("\n".join(lines) + "\n")


def _plain(text: str, chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        encoded = base64.encodebytes(_crlf(text))
        return _crlf("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n") + encoded
    head = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    return _crlf(head + text)


def _html(text: str) -> bytes:
    paragraphs = "".join(f'<p style="margin:0 0 12px 0">{line or "&nbsp;"}</p>\n' for line in text.splitlines())
    style = "<style>p {font-family: Calibri, sans-serif; font-size: 11pt} .x {color: #1f497d}</style>"
    page = f"<html><head>{style}</head><body>\n<div>{paragraphs}</div></body></html>\n"
    return _crlf(
        'Content-Type: multipart/alternative; boundary="alt"\n\n'
        f"--alt\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
        f"--alt\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{page}\n--alt--\n"
    )


def _with_file(part: bytes, number: int, chance: random.Random) -> bytes:
    content = base64.encodebytes(chance.randbytes(FILE_BYTES)).replace(b"\n", b"\r\n")
    head = (
        f'Content-Type: application/pdf; name="lasku-{number}.pdf"\nContent-Transfer-Encoding: base64\n'
        f'Content-Disposition: attachment; filename="lasku-{number}.pdf"\n\n'
    )
    return (
        b'Content-Type: multipart/mixed; boundary="mix"\r\n\r\n--mix\r\n' + part + b"\r\n--mix\r\n" + _crlf(head)
        + content + b"\r\n--mix--\r\n"
    )  # fmt: skip


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
