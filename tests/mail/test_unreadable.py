"""What no program can read is shown to a person, and what holds nothing is not."""

import random
from base64 import b64encode

import pytest

from mailbot.core.classify import Kind
from mailbot.mail.parse import read_message
from mailbot.mail.patterns import ReadingPatterns
from mailbot.reading import Reader

NOISE = random.Random(8).randbytes(3000)
HEAD = b"From: maija@example.com\nSubject: Hei\n"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize(
    "raw",
    [
        NOISE,
        b"\x89PNG\r\n\x1a\n" + NOISE,
        b"PK\x03\x04" + NOISE[:500],
        b"\x00" * 1000,
        b"Tulen huomenna kahville\n",
        HEAD + b"\n" + NOISE,
        HEAD + b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + b64encode(NOISE),
    ],
)
def test_bytes_that_are_no_text_are_unsure(reader: Reader, raw: bytes) -> None:
    """Rubbish, a file sent as if it were a mail, and text without any header are flagged, so that a person looks."""
    message = reader.read(raw)
    assert "unreadable" in message.flags
    assert reader.judge(message).kind is Kind.UNSURE


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n \r\n",
        HEAD + b"\n",
        HEAD + b"\nSee you tomorrow\x0c over coffee\x1b.\n",
        HEAD + b"Content-Type: text/plain; charset=utf-16\n\n" + ("Nähdään huomenna kahvilla. " * 9).encode("utf-16"),
        HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + ("明日コーヒー " * 20).encode("iso-2022-jp"),
    ],
)
def test_text_of_any_kind_and_nothing_at_all_are_not(reader: Reader, raw: bytes) -> None:
    """An empty mail asks for nothing, and a strange character set is no rubbish."""
    message = reader.read(raw)
    assert "unreadable" not in message.flags
    assert reader.judge(message).kind is Kind.NOT_REQUEST


def test_a_robot_that_can_not_be_read_is_left_alone(reader: Reader) -> None:
    """Rubbish that says it was sent by a program waits for nobody."""
    message = reader.read(HEAD + b"Auto-Submitted: auto-generated\n\n" + b"\x00" * 1000)
    assert reader.judge(message).kind is Kind.NOT_REQUEST


def test_rubbish_is_told_without_any_rules() -> None:
    """The flag comes from the bytes, not from words."""
    assert "unreadable" in read_message(NOISE, ReadingPatterns()).flags
