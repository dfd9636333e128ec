"""What goes from a received mail into our reply's headers can not become a header of its own."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.message import Message
from mailbot.mail.headers import message_ids
from mailbot.mail.parse import read_message
from mailbot.mail.patterns import ReadingPatterns
from mailbot.mail.thread import clean_header, reply_references, reply_subject


def headers_written(subject: str) -> list[str]:
    """The header names of a mail with this subject after it was written and read again."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message.set_content("x")
    head = message.as_bytes().split(b"\r\n\r\n")[0].decode()
    return [line.split(":")[0] for line in head.split("\r\n") if line[:1] not in " \t"]


EXPECTED = {"Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}


@pytest.mark.parametrize(
    "subject",
    [
        "=?UTF-8?Q?=0A?=Bcc: thief@example.net",
        "a\r\nBcc: thief@example.net",
        "a\x0b\x0c\x85\u2028Bcc: x@example.net",
        "==??UTF-8?Q?=0D=0ABcc:_x@example.net?=",
        "=?=?utf-8?b?Cg==?=?=",
        "\x00a\x1fb",
    ],
)
def test_a_subject_opens_no_header(subject: str) -> None:
    """Neither line breaks nor encoded words, nor words hidden in words, survive in a reply's subject."""
    reply = reply_subject(subject, "Re:")
    assert reply.isprintable()
    assert "=?" not in reply
    assert set(headers_written(reply)) <= EXPECTED


def test_a_doubly_encoded_subject_gives_no_bcc(patterns: ReadingPatterns) -> None:
    """The whole way from bytes to a reply: the Bcc stays words."""
    raw = b"From: a@example.com\nSubject: =?utf-8?b?PT9VVEYtOD9RPz0wQT89QmNjOiB0aGllZkBleGFtcGxlLm5ldA==?=\n\nx"
    subject = read_message(raw, patterns).subject
    assert "Bcc: thief@example.net" in subject
    assert set(headers_written(reply_subject(subject, "Re:"))) <= EXPECTED


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("=?aQqB0AD:\r\n\x00\x85\u2028\u00e4 _-"), max_size=60))
def test_nothing_becomes_a_second_header(text: str) -> None:
    """Any mixture of the dangerous signs is one harmless line."""
    cleaned = clean_header(text)
    assert "=?" not in cleaned
    assert not set(cleaned) & set("\r\n\x00\x85\u2028")
    assert set(headers_written(f"Re: {cleaned}")) <= EXPECTED


@pytest.mark.parametrize(
    ("subject", "prefix", "reply"),
    [
        ("Poisto", "VS:", "VS: Poisto"),
        ("VS: Re: SV: Poisto", "Re:", "Re: Poisto"),
        ("", "Re:", "Re:"),
        ("Re[2]: a", "SV:", "SV: a"),
        ("Revision", "Re:", "Re: Revision"),
        ("VL: a", "VS:", "VS: VL: a"),
    ],
)
def test_a_reply_has_one_prefix(subject: str, prefix: str, reply: str) -> None:
    """Older prefixes of answers give way to one; that of a forward stays."""
    assert reply_subject(subject, prefix) == reply


def test_references_end_with_the_answered_id() -> None:
    """In-Reply-To is the answered id, References the thread and then it."""
    message = Message(message_id="<c@x>", references=("<a@x>", "<b@x>"))
    assert reply_references(message) == ("<c@x>", ("<a@x>", "<b@x>", "<c@x>"))
    assert reply_references(Message(message_id="<c@x>", in_reply_to=("<b@x>",))) == ("<c@x>", ("<b@x>", "<c@x>"))


def test_long_threads_are_capped() -> None:
    """The first and the newest ids are kept."""
    ids = tuple(f"<{n}@x>" for n in range(300))
    _, references = reply_references(Message(message_id="<last@x>", references=ids))
    assert len(references) == 20
    assert (references[0], references[-1]) == ("<0@x>", "<last@x>")


@pytest.mark.parametrize(
    "bad", ["", "<a b@x>", "<ä@x>", "<=?utf-8?q?a?=@x>", "<a@x>\r\nBcc: y@z", "a@x", "<" + "a" * 600 + ">"]
)
def test_an_id_that_is_none_is_left_out(bad: str) -> None:
    """A thread may break, a header may not."""
    assert reply_references(Message(message_id=bad, references=("<a@x>",))) == ("", ("<a@x>",))


def test_an_85_character_id_survives_being_written() -> None:
    """With lines of 998 characters Outlook's ids go out as they came in."""
    long_id = "<" + "A" * 60 + "@DB9PR01MB1.prod.exchange.example>"
    answered, references = reply_references(Message(message_id=long_id))
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    message["In-Reply-To"], message["References"] = answered, " ".join(references)
    assert message.as_bytes().count(long_id.encode()) == 2


def test_an_id_longer_than_a_line_is_no_id() -> None:
    """An id of 3,600 bytes could be written into no header and no index: it counts as none, and the others stay."""
    long, usable = "\U0001f600" * 888 + "@example.org", "a" * 85 + "@example.org"
    assert message_ids(f"<{long}>") == ()
    assert message_ids(f"<{long}> <{usable}>") == (f"<{usable}>",)
