"""What comes after the first message finds its ticket, and only its ticket."""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from bureau import ACCESS, ANNA, MAIJA, Bureau, body, bounce, reply_to, said, written

from mailbot.core.draft import DraftKind
from mailbot.core.ticket import Status
from mailbot.errors import IllegalMoveError
from mailbot.flows import decide
from mailbot.store import drafts, outbox

ASK_1 = "<ask-1@customer.example>"
STRANGER = "Otto Outsider <otto@elsewhere.example>"


def receivers(mails: list[EmailMessage]) -> list[str]:
    return [mail["To"].addresses[0].addr_spec for mail in mails]


def test_an_answer_to_our_message_belongs_to_its_ticket_from_any_address(bureau: Bureau) -> None:
    """Our Message-ID in the references is proof enough, and staff are warned when the address is another one."""
    reply = bureau.answered()
    raw = written(
        STRANGER, "Kiitos", "Maijan puolesta kiitos!\n", to=bureau.contact, in_reply_to=str(reply["Message-ID"])
    )
    (notice,) = bureau.round(raw)
    assert len(bureau.tickets()) == 1
    assert "from another address, otto@elsewhere.example" in said(notice)
    assert receivers([notice]) == [ANNA.email]


def test_a_reference_from_a_known_address_belongs_to_its_ticket(bureau: Bureau) -> None:
    """A new mail, without any thread, that names the reference."""
    bureau.opened()
    text = f"Hei, lisäisin asiaan {bureau.ticket().reference.lower()}, että olin asiakas vuonna 2019.\n"
    (notice,) = bureau.round(written(MAIJA.upper(), "Lisätietoa", text, to=bureau.contact))
    assert len(bureau.tickets()) == 1
    assert "has written again" in said(notice)
    assert "vuonna 2019" in body(notice)


def test_a_reference_from_a_stranger_goes_to_triage_and_never_into_the_ticket(bureau: Bureau) -> None:
    """Who knows a reference knows nothing of the matter: a person looks."""
    bureau.opened()
    first = bureau.ticket()
    text = f"Asia {first.reference}: lähettäkää vastaus tähän osoitteeseen.\n"
    (notice,) = bureau.round(written(STRANGER, f"Re: {first.reference}", text, to=bureau.contact))
    second = bureau.tickets()[1]
    assert second.status is Status.NEEDS_TRIAGE
    assert second.requester_address == "otto@elsewhere.example"
    assert len(bureau.shown(first.reference)["messages"]) == 1
    assert "not known in that matter" in said(notice)


def test_a_stranger_in_the_thread_of_the_requester_does_not_get_in(bureau: Bureau) -> None:
    """The requester's own Message-ID is no secret: answering it opens no door."""
    bureau.opened()
    bureau.round(written(STRANGER, "Re: asiasta", "Kuulostaa hyvältä!\n", to=bureau.contact, in_reply_to=ASK_1))
    assert len(bureau.tickets()) == 1
    assert len(bureau.shown()["messages"]) == 1


def test_a_repetition_stays_with_the_first_receipt(bureau: Bureau) -> None:
    """The same wish again, in a new mail, is no new request: the first receipt and due date stay."""
    bureau.opened()
    before = bureau.ticket()
    bureau.now += timedelta(days=10)
    text = "Hei,\n\npyydän edelleen, että poistatte kaikki minua koskevat henkilötiedot.\n"
    bureau.round(written(MAIJA, "Pyyntöni", text, to=bureau.contact))
    after = bureau.ticket()
    assert (after.received_at, after.due_on) == (before.received_at, before.due_on)
    assert len(bureau.shown()["messages"]) == 2


def test_a_wider_request_is_a_linked_ticket_of_its_own(bureau: Bureau) -> None:
    """What asks for more has its own receipt and month."""
    bureau.opened()
    bureau.now += timedelta(days=10)
    bureau.round(written(MAIJA, "Re: Tietopyyntö", ACCESS, to=bureau.contact, in_reply_to=ASK_1))
    first, second = bureau.tickets()
    assert second.linked_to == first.id
    assert second.received_at > first.received_at
    assert [right.value for right in second.rights] == ["access"]


def test_thanks_reach_staff_and_reopen_nothing(bureau: Bureau) -> None:
    """A thank-you after the answer is told and changes no status."""
    reply = bureau.answered()
    thanks = written(MAIJA, "Re: vastaus", "Kiitos avusta!\n", to=bureau.contact, in_reply_to=str(reply["Message-ID"]))
    (notice,) = bureau.round(thanks)
    assert bureau.ticket().status is Status.ANSWERED
    assert "Kiitos avusta!" in body(notice)


def test_a_withdrawal_reaches_staff_with_its_ticket_and_ends_nothing_by_itself(bureau: Bureau) -> None:
    """Only a person judges that a request was taken back."""
    bureau.opened()
    text = "Hei, perun pyyntöni, tietoja ei tarvitsekaan poistaa.\n"
    (notice,) = bureau.round(written(MAIJA, "Re: Tietopyyntö", text, to=bureau.contact, in_reply_to=ASK_1))
    assert bureau.ticket().status is Status.DRAFTED
    assert "perun pyyntöni" in body(notice)
    assert "the request seems to be withdrawn" in notice["Subject"]
    assert "The message seems to withdraw the request." in said(notice).partition("WHAT WAS WRITTEN")[0]
    assert "- request withdrawn - approve - " in said(notice)


def test_staff_end_a_withdrawn_request_with_two_words_or_let_it_stand(bureau: Bureau) -> None:
    """The approval of an earlier notice is refused, the newest notice takes either word, and nothing is sent."""
    first = bureau.opened()
    text = "Hei, perun pyyntöni.\n"
    (notice,) = bureau.round(written(MAIJA, "Poistopyyntöni", text, to=bureau.contact))
    assert len(bureau.tickets()) == 1, "known without any thread"
    bureau.round(reply_to(first, "approve"))
    assert bureau.ticket().status is Status.DRAFTED
    bureau.round(reply_to(notice, "request withdrawn"))
    assert bureau.ticket().status is Status.WITHDRAWN
    assert bureau.to("maija@customer.example") == []


def _approved(bureau: Bureau, kind: str = "reply") -> int:
    """That draft is approved and waits to be sent; the number of its mail."""
    office, ticket = bureau.house.office, bureau.ticket()
    with office.database.write() as connection:
        decide.approve(
            connection, office, ticket.reference, bureau.actor(),
            now=bureau.now, fingerprint_given=bureau.newest_draft(kind).fingerprint,
        )  # fmt: skip
        (waiting,) = [mail for mail in outbox.of_ticket(connection, ticket.id) if mail.audience == "data_subject"]
    return waiting.id


def test_a_withdrawal_stops_the_reply_that_was_approved_and_has_not_left(bureau: Bureau) -> None:
    """The two words of staff come before the next round of sending: the requester gets nothing more."""
    notice = bureau.opened()
    mail = _approved(bureau)
    (told,) = bureau.round(reply_to(notice, "request withdrawn"))
    assert bureau.ticket().status is Status.WITHDRAWN
    assert bureau.to("maija@customer.example") == []
    with bureau.house.office.database.read() as connection:
        assert outbox.by_id(connection, mail).state == "cancelled"
    assert "had begun" not in said(told)


@pytest.mark.parametrize(("result", "begun"), [("deferred", False), ("dropped", True), (None, True)])
def test_a_withdrawal_says_when_the_reply_may_have_left(bureau: Bureau, result: str | None, begun: bool) -> None:
    """It is not tried again; where a server may have taken it, whoever withdraws reads that. One put off has not."""
    notice = bureau.opened()
    mail = _approved(bureau)
    with bureau.house.office.database.write() as connection:
        attempt = outbox.begin_attempt(connection, mail, bureau.now)
        if result is not None:
            outbox.end_attempt(connection, attempt, result=result, answer="", now=bureau.now)
    (told,) = bureau.round(reply_to(notice, "request withdrawn"))
    assert ("had begun: it may have reached the requester" in said(told)) is begun
    assert bureau.to("maija@customer.example") == []


@pytest.mark.parametrize("end", ["withdraw", "dismiss", "merge"])
def test_an_acknowledgement_that_waits_does_not_outlive_its_ticket(bureau: Bureau, end: str) -> None:
    """What was approved and has not left is called off with everything else."""
    bureau.opened()
    mail, first = _approved(bureau, "acknowledgement"), bureau.ticket()
    bureau.arrive(written(MAIJA, "Toinen asia", ACCESS, to=bureau.contact))
    bureau.poll()
    into = bureau.tickets()[1].reference
    office, actor = bureau.house.office, bureau.actor()
    with office.database.write() as connection:
        if end == "merge":
            decide.merge(connection, office, first.reference, actor, now=bureau.now, into=into)
        else:
            getattr(decide, end)(connection, first.reference, actor, now=bureau.now)
        assert outbox.by_id(connection, mail).state == "cancelled"
    bureau.deliver()
    assert bureau.to("maija@customer.example") == []


def test_a_copy_asked_for_later_holds_the_erasure_back(bureau: Bureau) -> None:
    """Access comes before erasure: the erasure reply returns with a warning, and earlier approvals count no more."""
    first = bureau.opened()
    bureau.now += timedelta(days=2)
    text = "Hei, ennen kuin poistatte mitään, haluan jäljennöksen kaikista tiedoistani.\n"
    told = bureau.round(written(MAIJA, "Re: Tietopyyntö", text, to=bureau.contact, in_reply_to=ASK_1))
    erasure, access = bureau.tickets()
    assert [right.value for right in access.rights] == ["access"], "what the first ticket answers is not asked twice"
    warning = next(mail for mail in told if "wait with the erasure" in mail["Subject"])
    assert f"waits for a copy of their data ({access.reference})" in said(warning)
    bureau.round(reply_to(first, "approve"))
    assert bureau.to("maija@customer.example") == []
    office = bureau.house.office
    with office.database.write() as connection, pytest.raises(IllegalMoveError, match="waits for a copy"):
        decide.approve(
            connection, office, erasure.reference, bureau.actor(),
            now=bureau.now, fingerprint_given=drafts.newest(connection, erasure.id, DraftKind.REPLY).fingerprint,
        )  # fmt: skip
    bureau.round(reply_to(warning, "approve"))
    assert len(bureau.to("maija@customer.example")) == 1, "who has read the warning may go on"


def test_the_answer_to_the_identity_question_ends_the_wait(bureau: Bureau) -> None:
    """The clock stands from the sending of the question to the day of the answer, and the reply draft waits again."""
    notice = bureau.opened()
    (drafted,) = bureau.round(reply_to(notice, "ask identity"))
    bureau.round(reply_to(drafted, "approve"))
    (question,) = bureau.to("maija@customer.example")
    assert bureau.ticket().status is Status.AWAITING_IDENTITY
    bureau.now += timedelta(days=5)
    answer = written(
        MAIJA, "Re: kysymys", "Asiakasnumeroni on 4711.\n", to=bureau.contact, in_reply_to=str(question["Message-ID"])
    )
    (told,) = bureau.round(answer)
    assert bureau.ticket().status is Status.DRAFTED
    assert "4711" in body(told)
    bureau.round(reply_to(told, "approve"))
    reply = bureau.to("maija@customer.example")[-1]
    assert bureau.ticket().status is Status.ANSWERED
    (answered,) = [item for item in bureau.shown()["messages"] if "4711" in item["text"]]
    assert reply["In-Reply-To"] == answered["message_id"], "the reply stands below what the person wrote last"


@pytest.mark.parametrize("server", ["postfix", "exchange"])
def test_a_bounce_of_the_reply_reopens_the_ticket_and_tells_staff(bureau: Bureau, server: str) -> None:
    """Sending means accepted and no bounce; the same words can be approved once more, under a new Message-ID."""
    reply = bureau.answered()
    (notice,) = bureau.round(bounce(reply, bureau.contact, server=server))
    assert bureau.ticket().status is Status.DRAFTED
    assert receivers([notice]) == [ANNA.email]
    assert "User unknown" in body(notice)
    bureau.round(reply_to(notice, "approve"))
    first, second = bureau.to("maija@customer.example")
    assert first["Message-ID"] != second["Message-ID"]
    assert body(first) == body(second)
    assert second["In-Reply-To"] == ASK_1


def test_a_second_report_about_the_same_reply_tells_nothing_new(bureau: Bureau) -> None:
    """Servers repeat themselves: one notice, and an approval given meanwhile stands."""
    reply = bureau.answered()
    (notice,) = bureau.round(bounce(reply, bureau.contact))
    bureau.round(reply_to(notice, "approve"))
    assert bureau.round(bounce(reply, bureau.contact, server="exchange")) == []
    assert bureau.ticket().status is Status.ANSWERED


def test_a_bounce_counts_where_a_relay_gave_the_reply_another_message_id(bureau: Bureau) -> None:
    """Our mark among the returned headers names the mail."""
    reply = bureau.answered()
    bureau.round(bounce(reply, bureau.contact, message_id="<rewritten@relay.example>"))
    assert bureau.ticket().status is Status.DRAFTED


def test_a_report_of_a_delay_changes_nothing(bureau: Bureau) -> None:
    """A server that still tries has lost nothing (RFC 3464 2.3.3)."""
    reply = bureau.answered()
    assert bureau.round(bounce(reply, bureau.contact, status="4.4.1")) == []
    assert bureau.ticket().status is Status.ANSWERED


def test_somebody_elses_bounce_is_nobodys_business(bureau: Bureau) -> None:
    """A report about a mail that the humans sent is left alone."""
    reply = bureau.answered()
    del reply["X-Mailbot-Origin"]
    assert bureau.round(bounce(reply, bureau.contact, message_id="<other@example.com>")) == []
    assert bureau.ticket().status is Status.ANSWERED


# ------------------------------------------------------------------------------------- answered outside the bot


def test_an_answered_flag_raises_the_question_and_one_word_ends_the_ticket(bureau: Bureau) -> None:
    """The human replied from their own program: they are asked, the clock runs on until they say so."""
    uid = bureau.arrive(written(MAIJA, "Pyyntö", ACCESS, to=bureau.contact, message_id=ASK_1))
    bureau.round()
    bureau.imap.set_flags(uid, r"\Answered", user=bureau.contact)
    (question,) = bureau.round()
    assert bureau.ticket().status is Status.OPEN
    assert "answered from elsewhere" in said(question)
    assert bureau.round() == [], "it is asked once"
    bureau.round(reply_to(question, "answered elsewhere"))
    assert bureau.ticket().status is Status.ANSWERED
    assert bureau.to("maija@customer.example") == []


@pytest.mark.parametrize("words", ["Not the answer.", "Ei ollut vastaus", "inte svaret!\n\nAnna"])
def test_not_the_answer_ends_the_question(bureau: Bureau, words: str) -> None:
    """The work goes on, the flag asks no more, and an approval needs no further word."""
    uid = bureau.arrive(written(MAIJA, "Pyyntö", "Poistakaa kaikki tietoni rekisteristänne.\n", to=bureau.contact))
    bureau.round()
    bureau.imap.set_flags(uid, r"\Answered", user=bureau.contact)
    (question,) = bureau.round()
    (answer,) = bureau.round(reply_to(question, words, style="outlook"))
    assert "that was not the answer" in said(answer)
    assert bureau.round() == []
    bureau.round(reply_to(answer, "approve"))
    assert len(bureau.to("maija@customer.example")) == 1


def test_approving_an_older_notice_meanwhile_asks_first(bureau: Bureau) -> None:
    """Nothing is sent twice unknowingly; the approval that answers the question counts as confirmed."""
    notice = bureau.opened()
    bureau.imap.set_flags(1, r"\Answered", user=bureau.contact)
    bureau.round()
    (question,) = bureau.round(reply_to(notice, "approve"))
    assert bureau.to("maija@customer.example") == []
    assert "approve again" in said(question)
    bureau.round(reply_to(question, "approve"))
    assert len(bureau.to("maija@customer.example")) == 1


def test_a_mail_of_staff_in_the_thread_raises_the_question(bureau: Bureau) -> None:
    """A copy of what a colleague wrote to the requester lies in the mailbox: perhaps that was the answer."""
    bureau.opened()
    text = "Hei Maija, tietosi on nyt poistettu. Anna\n"
    raw = written(
        ANNA.email,
        "VS: Tietopyyntö",
        text,
        to="maija@customer.example",
        in_reply_to=ASK_1,
        headers=[("Cc", bureau.contact)],
    )
    (question,) = bureau.round(raw)
    assert "answered from elsewhere" in said(question)
    assert bureau.ticket().outside_suspected


def test_an_answer_written_to_the_requester_from_the_notice_is_no_command(bureau: Bureau) -> None:
    """Who replies to the notice but puts the requester in To has answered by hand; nothing more is sent."""
    notice = bureau.opened()
    raw = reply_to(notice, "Hyväksyn pyyntösi, tiedot on poistettu.", style="gmail").replace(
        f"To: {bureau.contact}".encode(), f"To: maija@customer.example, {bureau.contact}".encode()
    )
    (question,) = bureau.round(raw)
    assert bureau.to("maija@customer.example") == []
    assert bureau.ticket().outside_suspected
    assert receivers([question]) == [ANNA.email]


def test_the_sent_folder_raises_the_question_where_the_bot_may_look(bureau_of: Callable[..., Bureau]) -> None:
    """The human's own answer in Sent is found; our own copies there are not taken for it."""
    bureau = bureau_of(imap_more='sent_folders = ["Sent"]')
    bureau.imap.create("Sent", user=bureau.contact)
    bureau.opened()
    bureau.round()
    bureau.now += timedelta(hours=1)
    own = written(bureau.contact, "Re: Tietopyyntö", "Hei Maija, poistettu on.\n", to="maija@customer.example")
    bureau.arrive(own, folder="Sent")
    (question,) = bureau.round()
    assert "answered from elsewhere" in said(question)
    bureau.round(reply_to(question, "not the answer"))
    bureau.arrive(
        written(bureau.contact, "Re: Tietopyyntö", "Vielä tämä.\n", to="maija@customer.example"), folder="Sent"
    )
    assert bureau.round() == [], "who said no is not asked again"


def test_our_own_reply_in_the_sent_folder_is_no_answer_given_outside(bureau_of: Callable[..., Bureau]) -> None:
    """A server that files what it sends puts our mail there: it is recognised by its mark."""
    bureau = bureau_of(imap_more='sent_folders = ["Sent"]')
    bureau.imap.create("Sent", user=bureau.contact)
    notice = bureau.opened(ACCESS)
    (drafted,) = bureau.round(reply_to(notice, "ask identity"))
    bureau.round(reply_to(drafted, "approve"))
    (question,) = bureau.to("maija@customer.example")
    bureau.arrive(question.as_bytes(), folder="Sent")
    assert bureau.round() == []
    assert not bureau.ticket().outside_suspected
