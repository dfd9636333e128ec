"""Staff pass a request on from another mailbox: the requester is who wrote it, and never staff."""

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from bureau import ACCESS, ANNA, ERASE, MAIJA, Bureau, reply_to, said, written

from mailbot.core.ticket import Status

HERS = "maija@customer.example"
BLOCKS = {
    "gmail": (
        "Fwd: Tietopyyntö",
        "---------- Forwarded message ---------\nFrom: {name} <{address}>\nDate: Mon, 2 Nov 2026 at 09:12\n"
        "Subject: Tietopyyntö\nTo: <sales@example.com>\n\n{text}",
    ),
    "outlook_fi": (
        "VL: Tietopyyntö",
        "________________________________\nLähettäjä: {name} <{address}>\n"
        "Lähetetty: maanantai 2. marraskuuta 2026 9.12\n"
        "Vastaanottaja: Myynti <sales@example.com>\nAihe: Tietopyyntö\n\n{text}",
    ),
    "outlook_sv": (
        "VB: Tietopyyntö",
        "Från: {name} <{address}>\nSkickat: den 2 november 2026 09:12\nTill: Försäljning <sales@example.com>\n"
        "Ämne: Tietopyyntö\n\n{text}",
    ),
    "outlook_en": (
        "FW: Tietopyyntö",
        "From: {name} <{address}>\nSent: Monday, November 2, 2026 9:12 AM\nTo: Sales <sales@example.com>\n"
        "Subject: Tietopyyntö\n\n{text}",
    ),
    "apple_fi": (
        "Vl: Tietopyyntö",
        "Välitetty viesti alkaa:\n\nLähettäjä: {name} <{address}>\nAihe: Tietopyyntö\n"
        "Päivämäärä: 2. marraskuuta 2026 klo 9.12.00 EET\n"
        "Vastaanottaja: Myynti <sales@example.com>\n\n{text}",
    ),
    "apple_en": (
        "Fwd: Tietopyyntö",
        "Begin forwarded message:\n\nFrom: {name} <{address}>\nSubject: Tietopyyntö\n"
        "Date: 2 November 2026 at 9.12.00 EET\n"
        "To: Sales <sales@example.com>\n\n{text}",
    ),
}


def inline(
    bureau: Bureau, style: str, text: str = ERASE, note: str = "", *, address: str = "maija@customer.example"
) -> bytes:
    subject, block = BLOCKS[style]
    shown = block.format(name="Maija Mallinen", address=address, text=text)
    return written(ANNA.email, subject, f"{note}\n\n{shown}" if note else shown, to=bureau.contact)


def attached(bureau: Bureau, inner: bytes, note: str = "Tässä.") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ANNA.email, bureau.contact, "Välitän"
    mail["Message-ID"] = "<passed-on@example.com>"
    mail.set_content(note)
    mail.add_attachment(inner, maintype="application", subtype="octet-stream", filename="pyynto.eml")
    return mail.as_bytes()


@pytest.mark.parametrize("note", ["", "Tuli myyntiin, hoidatko?"])
@pytest.mark.parametrize("style", sorted(BLOCKS))
def test_the_requester_is_the_inner_sender(bureau: Bureau, style: str, note: str) -> None:
    """Whatever program forwarded it, the answer goes to who asked, in no thread that they never saw."""
    (notice,) = bureau.round(inline(bureau, style, note=note))
    ticket = bureau.ticket()
    assert (ticket.requester_name, ticket.requester_address) == ("Maija Mallinen", "maija@customer.example")
    assert [right.value for right in ticket.rights] == ["erasure"]
    assert "forwarded by staff" in said(notice), "staff are asked when the original came"
    bureau.round(reply_to(notice, "approve"))
    (reply,) = bureau.to("maija@customer.example")
    assert reply["In-Reply-To"] is None
    assert bureau.ticket().status is Status.ANSWERED


def test_a_forward_as_an_attachment_counts_alike(bureau: Bureau) -> None:
    """The attached message says who asked."""
    inner = written(MAIJA, "Tietopyyntö", ERASE, to="sales@example.com")
    bureau.round(attached(bureau, inner))
    assert bureau.ticket().requester_address == "maija@customer.example"


@pytest.mark.parametrize("address", ["", "anna@example.com"])
def test_a_forward_whose_writer_is_unclear_goes_to_triage(bureau: Bureau, address: str) -> None:
    """A name without an address, or a colleague's own, is nobody to answer to."""
    raw = inline(bureau, "outlook_fi", address=address).replace(b" <>", b"")
    bureau.round(raw)
    ticket = bureau.ticket()
    assert ticket.status is Status.NEEDS_TRIAGE
    assert ticket.requester_address == ""
    assert "no_sender" in ticket.flags


def test_a_forward_of_what_the_person_asked_before_joins_that_ticket(bureau: Bureau) -> None:
    """The same request through two doors is one."""
    bureau.opened()
    bureau.round(inline(bureau, "gmail"))
    assert len(bureau.tickets()) == 1
    assert len(bureau.shown()["messages"]) == 2


def test_a_forward_that_asks_nothing_is_left_alone(bureau: Bureau) -> None:
    """Colleagues pass on a lot of things."""
    text = "Hei, lähetättekö tarjouksen kymmenestä näytöstä torstaihin mennessä?\n"
    assert bureau.round(inline(bureau, "outlook_fi", text, note="Kuka ottaa?")) == []
    assert bureau.tickets() == []


def test_a_forged_forward_of_a_stranger_makes_nobody_else_the_requester(bureau: Bureau) -> None:
    """Only staff can pass on for others: a stranger who forwards is the requester themself."""
    raw = inline(bureau, "gmail", ACCESS).replace(ANNA.email.encode(), b"otto@elsewhere.example")
    bureau.round(raw)
    assert bureau.ticket().requester_address == "otto@elsewhere.example"


# ---------------------------------------------------------------------------------- one mailbox for everything


@pytest.fixture
def alone(bureau_of: Callable[..., Bureau]) -> Bureau:
    """Staff, sender and polled mailbox are one address."""
    return bureau_of(staff_is_mailbox=True)


def returns(bureau: Bureau, mails: list[EmailMessage], *, message_id: str = "") -> EmailMessage:
    """Our mail to staff comes back into the polled folder, perhaps under another Message-ID."""
    for mail in mails:
        raw = mail.as_bytes()
        if message_id:
            raw = raw.replace(f"Message-ID: {mail['Message-ID']}".encode(), f"Message-ID: {message_id}".encode())
        bureau.arrive(raw)
    bureau.poll()
    assert bureau.deliver() == [], "nobody answers our own mail"
    return mails[-1]


@pytest.mark.parametrize("style", ["gmail", "unquoted"])
@pytest.mark.parametrize("rewritten", [False, True])
def test_one_mailbox_is_enough(alone: Bureau, style: str, rewritten: bool) -> None:
    """Notices that come back are recognised, a relay may rename them, and an unauthenticated reply decides."""
    renamed = "<renamed-by-the-relay@relay.example>" if rewritten else ""
    notice = returns(alone, [alone.opened()], message_id=renamed)
    assert len(alone.tickets()) == 1
    alone.round(reply_to(notice, "approve", style=style, in_reply_to=renamed or None))
    (reply,) = alone.to("maija@customer.example")
    delivered = alone.to(alone.contact)[-1]
    assert "has been sent" in delivered["Subject"]
    returns(alone, [delivered])
    assert str(notice["Message-ID"]) not in reply.as_string()
    assert alone.ticket().status is Status.ANSWERED


def test_what_people_send_themselves_is_nobodys_request(alone: Bureau) -> None:
    """A note to oneself, even one that reads like a request, opens nothing."""
    assert alone.round(written(alone.contact, "Muistettava", ERASE, to=alone.contact)) == []
    assert alone.tickets() == []


def test_one_who_passes_on_to_the_same_mailbox_is_not_the_requester(alone: Bureau) -> None:
    """A forward to oneself names the inner writer."""
    raw = inline(alone, "gmail").replace(ANNA.email.encode(), alone.contact.encode())
    alone.round(raw)
    assert alone.ticket().requester_address == "maija@customer.example"


def test_a_forged_mark_makes_nothing_ours(alone: Bureau) -> None:
    """The mark is a key's work over the Message-ID; with a wrong one the request is read like any other."""
    notice = alone.opened()
    forged = str(notice["X-Mailbot-Origin"])[:-4] + "0000"
    alone.round(
        written("otto@elsewhere.example", "Request", "Please erase all my personal data.\n", to=alone.contact,
                headers=[("X-Mailbot-Origin", forged)])
    )  # fmt: skip
    assert len(alone.tickets()) == 2


def test_the_copy_of_a_reply_in_a_sent_folder_that_is_read_too_decides_once(bureau_of: Callable[..., Bureau]) -> None:
    """With every folder read, the same answer lies in two of them."""
    alone = bureau_of(staff_is_mailbox=True, imap_more='folders = ["INBOX", "Sent"]')
    alone.imap.create("Sent", user=alone.contact)
    notice = returns(alone, [alone.opened(ACCESS)])
    raw = reply_to(notice, "note: called her")
    alone.arrive(raw, folder="Sent")
    alone.now = alone.now.replace(minute=alone.now.minute + 2)
    mails = alone.round(raw)
    assert len(mails) == 1
    assert len(alone.events("noted")) == 1
