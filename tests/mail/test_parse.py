"""Reading: any bytes become a message, and nothing a person must see goes unseen."""

import base64
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.mail.parse import HUMAN_MUST_LOOK, read_message, read_text
from mailbot.mail.patterns import ReadingPatterns

Fixture = Callable[[str], bytes]

FIXTURES = Path(__file__).parent / "fixtures"
HEAD = b"From: aino@example.com\nTo: tietosuoja@yritys.example\nSubject: x\nMessage-ID: <a@example.com>\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("erasure_fi_plain", "pyydän että poistatte tietoni."),
        ("access_sv_latin1_declared_unknown_charset", "jag begär ut mina uppgifter."),
        ("charset_empty", "Pyydän nähtäväksi tietoni."),
        ("charset_gb2312_with_gbk_letters", "请删除我的資料 镕"),
        ("charset_unicode_1_1_utf_7", "Pyydän tietoni."),
        ("charset_x_mac_roman", "Ändra mitt namn, tack. Hälsningar Åsa"),
        ("charset_utf8_called_latin1", "Pyydän että poistatte tietoni."),
        ("multipart_without_boundary", "Poistakaa tietoni, kiitos."),
        ("multipart_with_garbled_boundary", "Pyydän että poistatte tietoni rekisteristänne."),
        ("no_from_only_reply_to", "Poistakaa tietoni."),
        ("stray_line_above_headers", "Poistakaa tietoni."),
        ("stray_line_between_headers", "Poistakaa tietoni."),
        ("body_is_a_text_file", "Pyydän kopion kaikista tiedoistani."),
        ("body_is_an_html_file", "Pyydän kopion kaikista tiedoistani."),
        ("flowed_apple_delsp", "Pyydän että poistatte kaikki minua koskevat tiedot rekisteristänne."),
    ],
)
def test_words_survive(name: str, words: str, fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """The writer's words come out whole, whatever the character set and the structure claim."""
    assert words in read_message(fixture_bytes(name), patterns).visible_text


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("winmail_dat_only", "tnef"),
        ("encrypted_pgp_mime", "encrypted"),
        ("encrypted_pgp_inline", "encrypted"),
        ("encrypted_smime", "encrypted"),
        ("image_only_letter", "image_only"),
    ],
)
def test_unreadable_mail_is_for_a_person(
    name: str, flag: str, fixture_bytes: Fixture, patterns: ReadingPatterns
) -> None:
    """What we can not read is flagged for a human, never taken for empty."""
    flags = read_message(fixture_bytes(name), patterns).flags
    assert flag in flags
    assert flag in HUMAN_MUST_LOOK
    assert "empty" not in flags


def test_a_message_id_with_brackets_inside_is_read(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """`<[ABC==@microsoft.com]>` is kept as it is."""
    assert (
        read_message(fixture_bytes("message_id_with_brackets_inside"), patterns).message_id == "<[ABC==@microsoft.com]>"
    )


@pytest.mark.parametrize("value", ["<>", "", "nonsense", "< >", "<a b@c>"])
def test_an_unusable_message_id_is_a_defect(value: str, patterns: ReadingPatterns) -> None:
    """A Message-ID that is none is left out and said so."""
    message = read_message(HEAD.replace(b"<a@example.com>", value.encode()) + b"\nhei\n", patterns)
    assert message.message_id == ""
    assert "no_message_id" in message.defects


def test_an_85_character_message_id_is_whole(patterns: ReadingPatterns) -> None:
    """Outlook's long ids are neither cut nor encoded."""
    long_id = "<" + "A" * 60 + "@DB9PR01MB1.prod.exchange.example>"
    raw = HEAD.replace(b"<a@example.com>", b"\n " + long_id.encode()) + b"\nhei\n"
    assert read_message(raw, patterns).message_id == long_id


def test_a_to_that_is_no_address_gives_none(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """`To: A: B: c@d;;` does not stop the reading; a group's member is an address."""
    message = read_message(fixture_bytes("to_that_is_no_address"), patterns)
    assert [one.address for one in message.to] == ["c@d"]
    assert message.visible_text == "Hei"


def test_of_several_from_the_first_usable_counts(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """An empty From is passed over and several senders are a defect."""
    message = read_message(fixture_bytes("two_from_headers"), patterns)
    assert message.sender is not None
    assert message.sender.address == "aino@example.com"
    assert "several_from" in message.defects


def test_without_from_nobody_is_guessed(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """A Reply-To alone is no sender."""
    message = read_message(fixture_bytes("no_from_only_reply_to"), patterns)
    assert message.sender is None
    assert [one.address for one in message.reply_to] == ["aino@example.com"]
    assert "no_from" in message.defects


def test_stray_lines_do_not_end_the_headers(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """A line above or between the headers is dropped and the headers below it are read."""
    for name in ("stray_line_above_headers", "stray_line_between_headers"):
        message = read_message(fixture_bytes(name), patterns)
        assert message.subject == "Poisto"
        assert message.message_id
        assert "stray_line" in message.defects


def test_attachment_names_have_no_path(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """RFC 2231 parts and encoded words are put together, and what would leave the folder is cut off; inline counts."""
    files = read_message(fixture_bytes("attachment_name_rfc2231_with_path"), patterns).attachments
    assert [(one.name, one.type) for one in files] == [
        ("valta kirjaä.pdf", "application/pdf"),
        ("käsi.png", "image/png"),
    ]
    assert files[1].content == b"\x89PNG\r\n\x1a\n"


def test_an_attached_message_is_the_forwarded_one(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """The sender, the words and the files of a message/rfc822 count as the forward's."""
    message = read_message(fixture_bytes("forward_as_attachment_fi"), patterns)
    assert message.visible_text == "Tämä kuuluu teille. Terveisin Aino"
    assert message.forwarded_text == "Poistakaa tietoni."
    assert message.forward is not None
    assert message.forward.sender is not None
    assert message.forward.sender.address == "veli@example.org"
    assert message.forward.subject == "Poistopyyntö"
    assert [one.name for one in message.attachments] == ["pyynto.eml", "valtakirja.pdf"]


def test_invisible_characters_do_not_split_words(patterns: ReadingPatterns) -> None:
    """Soft hyphens, zero-width characters, NULs and lone surrogates are gone; hard spaces are spaces."""
    body = "poi\u00adsta\u200bkaa\u0000\u00a0tie\ufefftoni a\u0308\ud800"
    message = read_text("ai\u00adhe", body, patterns=patterns)
    assert message.subject == "aihe"
    assert message.text == "poistakaa tietoni ä\ufffd"


def test_a_subject_alone_is_no_empty_mail(patterns: ReadingPatterns) -> None:
    """A request may stand in the subject; without one the mail is empty and a person looks."""
    assert "empty" not in read_message(HEAD.replace(b": x", b": Poistakaa tietoni") + b"\n\n", patterns).flags
    assert "empty" in read_message(HEAD.replace(b"Subject: x\n", b"") + b"\n\n", patterns).flags


def test_html_is_read_when_plain_only_points_at_it(patterns: ReadingPatterns) -> None:
    """A plain part that says "view as HTML" gives way to the HTML part."""
    raw = (
        HEAD + b'Content-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain\n\n'
        b"Your mail program does not support HTML messages.\n--b\nContent-Type: text/html\n\n"
        b"<p>Poistakaa tietoni.</p>\n--b--\n"
    )
    assert read_message(raw, patterns).visible_text == "Poistakaa tietoni."


def test_damaged_base64_gives_what_it_can(patterns: ReadingPatterns) -> None:
    """Missing padding, foreign characters and a list's footer below the encoded text cost no words."""
    encoded = base64.b64encode("Pyydän tietojeni poistamista".encode()).rstrip(b"=")
    head = HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    for tail in (b"", b"!!\n", b"\n"):
        assert read_message(head + encoded + tail, patterns).text == "Pyydän tietojeni poistamista"


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=600))
def test_any_bytes_give_a_message(raw: bytes) -> None:
    """Bytes without any rhyme are a message too."""
    message = read_message(raw, ReadingPatterns())
    assert message.size == len(raw)


PIECES = [
    b"From: ",
    b"Content-Type: multipart/mixed; boundary=b\n",
    b"--b\n",
    b"--b--\n",
    b"\n\n",
    b"=?utf-8?q?=0A?=",
    b"\x00",
    b"Content-Type: message/rfc822\n\n",
    b"charset=",
    b"<a@b.c>",
    b": ",
    b";",
    b'"',
    b"\r",
    b"Subject: \xff\n",
    b"=?x?b?!!?=",
    b"Content-Type: text/html\n\n<div><p>a<blockquote type=cite>",
    b"Content-Transfer-Encoding: base64\n",
    b"\xed\xa0\x80",
    b"filename*0*=utf-8''%2F",
    b"Content-Disposition: attachment; ",
    b"> On Mon wrote:\n",
    b"-- \n",
    b"Date: 99 Foo 0000\n",
]


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_mixture_of_mail_gives_a_storable_message(pieces: list[bytes]) -> None:
    """Whatever pieces of mail are thrown together, headers hold one line and texts can be stored."""
    message = read_message(b"".join(pieces), ReadingPatterns())
    for value in (message.subject, message.message_id, *(text for pair in message.headers for text in pair)):
        assert value.isprintable()
        assert "=?" not in value
    message.text.encode("utf-8")
    assert "\x00" not in message.text + message.visible_text + message.forwarded_text


def test_damaged_fixtures_are_read(patterns: ReadingPatterns) -> None:
    """Each fixture with bytes changed, dropped and doubled at random is still answered."""
    dice = random.Random(20261122)
    for path in sorted(FIXTURES.glob("*.eml")):
        raw = path.read_bytes()
        for _ in range(15):
            data = bytearray(raw)
            for _ in range(dice.randint(1, 8)):
                at = dice.randrange(len(data))
                data[at : at + dice.randint(0, 9)] = dice.randbytes(dice.randint(0, 9))
            message = read_message(bytes(data), patterns)
            message.text.encode("utf-8")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("utf-8''M%C3%A4kel%C3%A4n%20tiedot.pdf", "Mäkelän tiedot.pdf"),
        ("UTF-8'fi'..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("iso-8859-1''M%E4kel%E4.txt", "Mäkelä.txt"),
    ],
)
def test_an_encoded_name_in_one_piece_is_decoded(written: str, name: str, patterns: ReadingPatterns) -> None:
    """`filename*=` in one piece, as most mail programs write it, gives the name, and never a path (RFC 2231 4)."""
    raw = (
        "From: a@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf\r\n"
        f"Content-Disposition: attachment; filename*={written}\r\n\r\nx\r\n--b--\r\n"
    ).encode()
    assert [item.name for item in read_message(raw, patterns).attachments] == [name]
