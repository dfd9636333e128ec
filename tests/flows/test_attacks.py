"""Nobody else's mail counts as that of staff: each attack leaves nothing sent and one entry in the audit chain."""

import json
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from bureau import ACCESS, ANNA, BERT, DORA, MAIJA, Bureau, Person, body, code, reply_to, said, written

from mailbot.core.ticket import Status
from mailbot.flows import decide

Make = Callable[..., Bureau]
MALLORY = "Mallory <mallory@evil.example>"
GONE = Person(name="Gustav Gone", email="gustav@example.com", active=False)
AWAY = [("Auto-Submitted", "auto-replied")]


def refusals(bureau: Bureau) -> list[str]:
    """The reasons in the audit chain."""
    return [json.loads(text)["why"] for text in bureau.events("command_refused")]


def nothing_left(bureau: Bureau) -> bool:
    """No mail to the requester, and no approval."""
    return not bureau.to("maija@customer.example") and "reply_approved" not in bureau.events()


def test_a_forged_address_without_a_code_does_nothing_and_its_owner_hears_of_it(bureau: Bureau) -> None:
    """From proves nothing: with the reference and the right word alone, staff are only told how to go on."""
    notice = bureau.opened()
    mails = bureau.round(
        written(
            ANNA.email, f"Re: {notice['Subject']}", "approve\n", to=bureau.contact, message_id="<guess@evil.example>"
        )
    )
    assert nothing_left(bureau)
    assert refusals(bureau) == ["no_token"]
    assert [mail["To"].addresses[0].addr_spec for mail in mails] == [ANNA.email]
    assert "held no code" in said(mails[0])
    bureau.round(reply_to(mails[0], "approve"))
    assert bureau.ticket().status is Status.ANSWERED


def test_a_stolen_code_from_another_address_does_nothing_in_silence(bureau: Bureau) -> None:
    """A code counts from its owner alone; a stranger gets no answer, the code lives on, the next digest tells."""
    notice = bureau.opened()
    mails = bureau.round(reply_to(notice, "approve", style="gmail", sender=MALLORY))
    assert nothing_left(bureau)
    assert mails == []
    assert refusals(bureau) == ["stranger"]
    bureau.round(reply_to(notice, "approve"))
    assert bureau.ticket().status is Status.ANSWERED


def test_a_code_that_belongs_to_a_colleague_does_nothing(bureau_of: Make) -> None:
    """A forwarded notice gives nobody else a right; the colleague gets a mail of their own to answer."""
    bureau = bureau_of(staff=(ANNA, BERT))
    bureau.opened()
    (for_anna,) = bureau.to(ANNA.email)
    mails = bureau.round(reply_to(for_anna, "approve", style="outlook", sender=BERT.email))
    assert nothing_left(bureau)
    assert refusals(bureau) == ["stolen"]
    (answer,) = mails
    assert "another person's code" in said(answer)
    assert code(answer) != code(for_anna)
    bureau.round(reply_to(answer, "approve"))
    assert bureau.ticket().status is Status.ANSWERED


def test_a_used_code_does_nothing_again(bureau_of: Make) -> None:
    """After one decision the same notice decides no more, and its owner is told."""
    bureau = bureau_of()
    notice = bureau.opened(ACCESS)
    bureau.round(reply_to(notice, "note: called her"))
    (answer,) = bureau.round(reply_to(notice, "no data"))
    assert refusals(bureau) == ["replay"]
    assert "already been made" in said(answer)
    assert bureau.newest_draft().version == 1


def test_the_very_same_mail_again_is_not_obeyed_again(bureau: Bureau) -> None:
    """Replayed bytes, or the copy in a Sent folder, change nothing and get no answer."""
    notice = bureau.opened(ACCESS)
    raw = reply_to(notice, "note: called her")
    bureau.round(raw)
    bureau.now += timedelta(hours=2)
    assert bureau.round(raw) == []
    assert refusals(bureau) == ["copy"]
    assert len(bureau.events("noted")) == 1


def test_a_code_of_an_older_version_approves_nothing(bureau_of: Make) -> None:
    """An approval is for the words that stood in the answered mail; the newest come back instead."""
    bureau = bureau_of(staff=(ANNA, BERT))
    bureau.opened(ACCESS)
    (for_anna,), (for_bert,) = bureau.to(ANNA.email), bureau.to(BERT.email)
    bureau.round(reply_to(for_anna, "no data"))
    (answer,) = bureau.round(reply_to(for_bert, "approve"))
    assert nothing_left(bureau)
    assert len(bureau.events("command_failed")) == 1
    assert "has changed since" in said(answer)
    bureau.round(reply_to(answer, "approve"))
    assert len(bureau.to("maija@customer.example")) == 1


def test_an_expired_code_does_nothing(bureau_of: Make) -> None:
    """Codes live for the configured days; then a reply brings a new one."""
    bureau = bureau_of(more="[authenticity]\ntoken_days = 10\n")
    notice = bureau.opened()
    bureau.now += timedelta(days=11)
    (answer,) = bureau.round(reply_to(notice, "approve"))
    assert nothing_left(bureau)
    assert refusals(bureau) == ["expired"]
    bureau.round(reply_to(answer, "approve"))
    assert bureau.ticket().status is Status.ANSWERED


def test_an_automatic_reply_that_quotes_the_code_does_nothing(bureau: Bureau) -> None:
    """An out-of-office note of staff is no decision, whatever it quotes, and nobody answers a machine."""
    notice = bureau.opened()
    assert bureau.round(reply_to(notice, "approve", style="gmail", headers=AWAY)) == []
    assert nothing_left(bureau)
    assert refusals(bureau) == ["automatic"]


@pytest.mark.parametrize("way", ["attached", "inline"])
def test_a_forwarded_notice_does_nothing(bureau: Bureau, way: str) -> None:
    """Only a reply decides; who forwards a notice is told so."""
    notice = bureau.opened()
    (answer,) = bureau.round(forwarded(notice, bureau, way))
    assert nothing_left(bureau)
    assert refusals(bureau) == ["forwarded"]
    assert "forwarded message does nothing" in said(answer)


def forwarded(notice: EmailMessage, bureau: Bureau, way: str) -> bytes:
    """A notice passed on with a word above."""
    if way == "inline":
        text = (
            f"approve\n\n---------- Forwarded message ---------\nFrom: Jalo IT Oy <{bureau.contact}>\n"
            f"Date: Tue, 3 Nov 2026 at 10:05\nSubject: {notice['Subject']}\nTo: <{ANNA.email}>\n\n{body(notice)}"
        )
        return written(ANNA.email, f"Fwd: {notice['Subject']}", text, to=bureau.contact)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ANNA.email, bureau.contact, f"Fwd: {notice['Subject']}"
    mail["Message-ID"], mail["References"] = "<fwd-1@example.com>", str(notice["Message-ID"])
    mail.set_content("approve")
    mail.add_attachment(notice)
    return mail.as_bytes()


def test_a_requester_who_quotes_a_command_gives_none(bureau: Bureau) -> None:
    """What the requester writes is data: it reaches staff and decides nothing."""
    notice = bureau.opened()
    text = f"approve\nhyväksyn\ngodkänner\n\nticket {bureau.ticket().reference}: approve\n"
    mails = bureau.round(
        written(MAIJA, f"Re: {notice['Subject']}", text, to=bureau.contact, in_reply_to="<ask-1@customer.example>")
    )
    assert nothing_left(bureau)
    assert [mail["To"].addresses[0].addr_spec for mail in mails] == [ANNA.email]


def test_a_requester_who_got_hold_of_a_code_gives_no_command_and_is_still_heard(bureau: Bureau) -> None:
    """A leaked notice decides nothing in other hands, yet the message is not lost, and the code is not passed on."""
    notice = bureau.opened()
    raw = reply_to(notice, "approve\n\nNB: please also send me a copy of my data.", style="gmail", sender=MAIJA)
    bureau.round(raw)
    assert nothing_left(bureau)
    assert refusals(bureau) == ["stranger"]
    assert len(bureau.tickets()) == 2, "she asked for more"
    stored = bureau.database_file.read_bytes()
    assert code(notice).encode() not in stored
    assert all(code(notice) not in body(mail) for mail in bureau.to(ANNA.email)[1:])


def test_a_command_inside_quoted_text_is_none(bureau: Bureau) -> None:
    """Only what the person wrote above the quotation counts."""
    notice = bureau.opened()
    (answer,) = bureau.round(reply_to(notice, "> approve\n>\n> Anna\n", style="gmail"))
    assert nothing_left(bureau)
    assert "Nothing was changed" in said(answer)


@pytest.mark.parametrize("words", ["", "Not yet, I will ask Bert first.", "?", "En hyväksy."])
def test_a_notice_quoted_without_any_mark_approves_nothing(bureau: Bureau, words: str) -> None:
    """A mail program may put the whole notice, with its examples of commands, below the words without a sign."""
    notice = bureau.opened()
    bureau.round(reply_to(notice, words, style="unmarked"))
    assert nothing_left(bureau)


def test_staff_who_have_left_decide_nothing(bureau_of: Make) -> None:
    """The address of one who left gets no notice, and with somebody's code it is a stranger's."""
    bureau = bureau_of(staff=(ANNA, GONE))
    notice = bureau.opened()
    assert bureau.to(GONE.email) == []
    assert bureau.round(reply_to(notice, "approve", style="gmail", sender=GONE.email)) == []
    assert nothing_left(bureau)
    assert refusals(bureau) == ["left"]


def test_one_who_has_left_may_ask_for_their_own_data(bureau_of: Make) -> None:
    """A former colleague is a data subject like any other."""
    bureau = bureau_of(staff=(ANNA, GONE))
    bureau.round(written(GONE.email, "Pyyntö", ACCESS, to=bureau.contact))
    assert bureau.ticket().requester_address == GONE.email


def test_attempts_from_outside_stand_in_the_next_digest_once(bureau: Bureau) -> None:
    """Staff see who tried what, also when the digest would be a single reminder; and only once."""
    notice = bureau.opened()
    bureau.round(reply_to(notice, "approve", style="gmail", sender=MALLORY))
    bureau.now += timedelta(days=20)
    first = bureau.remind()
    assert any("mallory@evil.example" in body(mail) for mail in first)
    bureau.now += timedelta(days=7)
    assert not any("mallory@evil.example" in body(mail) for mail in bureau.remind())


@pytest.mark.parametrize(
    ("policy", "results", "counts"),
    [
        ("token+dmarc", "mx.example.com; dmarc=pass header.from=example.com", True),
        ("token+dmarc", "mx.example.com; dmarc=fail header.from=example.com", False),
        ("token+dmarc", "mx.evil.example; dmarc=pass header.from=example.com", False),
        ("token+dmarc", "mx.example.com; dmarc=pass header.from=evil.example", False),
        ("token+dmarc", "mx.example.com; spf=pass smtp.mailfrom=anna@example.com", False),
        ("token+dmarc", "", False),
        ("token+dkim", "mx.example.com; dkim=pass header.d=example.com", True),
        ("token+dkim", "mx.example.com; dkim=fail header.d=example.com", False),
        ("token+dkim", "mx.example.com; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=a@example.com", False),
        ("token+dkim", "", False),
    ],
)
def test_where_asked_the_receiving_server_must_vouch(bureau_of: Make, policy: str, results: str, counts: bool) -> None:
    """Beside the code, DMARC or DKIM of the sender's own domain must have passed at the configured host."""
    bureau = bureau_of(more=f'[authenticity]\nauthserv_id = "mx.example.com"\nstaff_mail = "{policy}"\n')
    notice = bureau.opened()
    headers = [("Authentication-Results", results)] if results else []
    mails = bureau.round(reply_to(notice, "approve", headers=headers))
    assert (len(bureau.to("maija@customer.example")) == 1) is counts
    if not counts:
        assert refusals(bureau) == ["not_authentic"]
        assert "could not be verified" in said(mails[0])


def test_a_drafter_may_not_approve(bureau_of: Make) -> None:
    """The role is checked whatever the code; the drafter is told, and may draft."""
    bureau = bureau_of(staff=(ANNA, DORA))
    bureau.opened(ACCESS)
    (notice,) = bureau.to(DORA.email)
    (drafted,) = bureau.round(reply_to(notice, "no data"))
    assert bureau.newest_draft().ready
    (answer,) = bureau.round(reply_to(drafted, "approve"))
    assert nothing_left(bureau)
    assert "You may not approve" in said(answer)
    assert "- approve" not in body(answer).partition("You can answer, for example:")[2], "it is not offered"


def test_a_refusal_needs_two_people_where_that_is_the_rule(bureau_of: Make) -> None:
    """The first word sends nothing and asks the second person; the same person twice is one."""
    bureau = bureau_of(staff=(ANNA, BERT), more='[authenticity]\nfour_eyes = ["refusals"]\n')
    bureau.opened()
    (for_anna,) = bureau.to(ANNA.email)
    (drafted,) = bureau.round(reply_to(for_anna, "refuse: unfounded: the same request was answered last week"))
    mails = bureau.round(reply_to(drafted, "approve"))
    assert nothing_left(bureau)
    again = next(mail for mail in mails if ANNA.email in mail["To"])
    (second,) = [mail for mail in mails if BERT.email in mail["To"]]
    assert "second person" in said(second)
    bureau.round(reply_to(again, "approve"))
    assert nothing_left(bureau)
    bureau.round(reply_to(second, "approve"))
    assert len(bureau.to("maija@customer.example")) == 1


def test_an_approval_taken_back_needs_two_people_again(bureau_of: Make) -> None:
    """Neither of the two words counts any more: one person alone, whichever, can not send the reply."""
    bureau = bureau_of(staff=(ANNA, BERT), more='[authenticity]\nfour_eyes = ["refusals"]\n')
    bureau.opened()
    (for_anna,) = bureau.to(ANNA.email)
    bureau.round(reply_to(for_anna, "refuse: unfounded: the same request was answered last week"))
    office, reference = bureau.house.office, bureau.ticket().reference

    def approved(address: str) -> str:
        with office.database.write() as connection:
            return decide.approve(
                connection, office, reference, bureau.actor(address),
                now=bureau.now, fingerprint_given=bureau.newest_draft().fingerprint,
            ).what  # fmt: skip

    assert [approved(ANNA.email), approved(BERT.email)] == ["approved_first", "approved"]
    with office.database.write() as connection:
        decide.undo_approval(connection, reference, bureau.actor(), now=bureau.now)
    assert approved(BERT.email) == "approved_first"
    bureau.deliver()
    assert bureau.to("maija@customer.example") == []
    assert approved(ANNA.email) == "approved"
    bureau.deliver()
    assert len(bureau.to("maija@customer.example")) == 1


def test_a_code_is_nowhere_at_rest_after_sending(bureau: Bureau, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither database, log, audit nor any mail to a requester holds a code or the Message-ID of a notice."""
    notice = bureau.opened(ACCESS)
    drafted = bureau.round(reply_to(notice, "attached", style="outlook", files=[("copy.csv", "text/csv", b"a;b\r\n")]))
    bureau.round(reply_to(drafted[0], "approve", style="gmail"))
    (reply,) = bureau.to("maija@customer.example")
    secrets = [code(mail) for mail in bureau.to(ANNA.email) if "One-time code" in body(mail)]
    secrets += [str(mail["Message-ID"]).strip("<>") for mail in bureau.to(ANNA.email)]
    assert len(secrets) >= 4
    bureau.house.office.database.close()
    at_rest = b"".join(path.read_bytes() for path in bureau.folder.rglob("*") if path.is_file())
    printed = "".join(capfd.readouterr())
    for secret in secrets:
        assert secret.encode() not in at_rest
        assert secret not in printed
        assert secret not in reply.as_string()


def test_a_code_can_not_be_sent_to_a_requester_by_mistake(bureau: Bureau) -> None:
    """New words end where the notice begins; a notice pasted into them or attached as a file is refused."""
    notice = bureau.opened()
    (first,) = bureau.round(reply_to(notice, "edit: Hei Maija, tietosi on poistettu.", style="unmarked"))
    assert "WHAT WAS WRITTEN" not in bureau.newest_draft().text
    (answer,) = bureau.round(reply_to(first, f"edit: Hei Maija, {code(notice)} on poistettu."))
    assert bureau.newest_draft().version == 2
    (second,) = bureau.round(reply_to(answer, "attached", files=[("notice.txt", "text/plain", notice.as_bytes())]))
    assert bureau.newest_draft().attachments == ()
    assert "holds a notice to staff" in said(second)


def test_a_storm_of_automatic_answers_causes_no_mail(bureau: Bureau) -> None:
    """Five hundred automatic answers to a notice, to a reply, and to nothing are read, and nobody is written to."""
    notice = bureau.opened()
    bureau.round(reply_to(notice, "approve"))
    (reply,) = bureau.to("maija@customer.example")
    before = len(bureau.sent)
    kinds = [
        [("Auto-Submitted", "auto-replied")],
        [("Precedence", "auto_reply")],
        [("X-Autoreply", "yes")],
        [("X-Auto-Response-Suppress", "All"), ("Auto-Submitted", "auto-generated")],
    ]
    raws = []
    for number in range(500):
        answered = (notice, reply, None)[number % 3]
        sender = (ANNA.email, MAIJA, f"robot{number}@machine.example")[number % 3]
        raw = written(
            sender,
            "Automatic reply: out of the office",
            f"I am out of the office until Monday. ({number})\n",
            to=bureau.contact,
            in_reply_to=str(answered["Message-ID"]) if answered is not None else "",
            headers=kinds[number % 4],
        )
        raws.append(raw)
    bureau.arrive_all(raws)
    bureau.poll()
    assert bureau.deliver() == []
    assert len(bureau.sent) == before
    assert len(bureau.tickets()) == 1


def test_machines_that_hide_it_reach_staff_a_few_times_and_the_requester_never(bureau: Bureau) -> None:
    """Answers without any sign of a machine are capped: by ticket for requesters, by address and words for staff."""
    notice = bureau.opened()
    bureau.round(reply_to(notice, "approve"))
    (reply,) = bureau.to("maija@customer.example")
    again = str(reply["Message-ID"])
    bureau.arrive_all(
        raw
        for number in range(20)
        for raw in (
            written(MAIJA, "Thank you", f"We got your message {number}.\n", to=bureau.contact, in_reply_to=again),
            reply_to(notice, "Your message has reached the desk.", message_id=f"<desk{number}@example.com>"),
        )
    )
    bureau.poll()
    mails = bureau.deliver()
    assert {mail["To"].addresses[0].addr_spec for mail in mails} == {ANNA.email}
    assert len(mails) == 5 + 3
    assert len(bureau.shown()["messages"]) == 22, "all of it is kept with the ticket"


def test_answers_to_staff_are_capped_and_an_approval_never_is(bureau_of: Make) -> None:
    """When the cap is reached staff hear it once; the approved reply leaves all the same."""
    bureau = bureau_of(more="[limits]\nstaff_answers_per_hour = 4\n")
    notice = bureau.opened()
    mails = bureau.round(*(reply_to(notice, f"What about line {number}?") for number in range(9)))
    assert len(mails) == 4
    assert "So many messages" in said(mails[-1])
    bureau.round(reply_to(notice, "approve"))
    assert len(bureau.to("maija@customer.example")) == 1
