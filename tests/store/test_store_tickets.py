"""Tickets, messages, drafts and cursors as rows."""

from datetime import date, datetime, timedelta, timezone

import pytest
from making import MEMBER, NOW, REQUESTER, make_draft, make_ticket

from mailbot.core.draft import DraftKind, DraftState, fingerprint
from mailbot.core.rights import Outcome, Right
from mailbot.core.ticket import Event, Status
from mailbot.errors import BadInputError, IllegalMoveError
from mailbot.store import cursors, drafts, messages, tickets
from mailbot.store.cursors import Seen
from mailbot.store.database import Database
from mailbot.store.drafts import File
from mailbot.store.failures import RefusedStatementError


def test_references_count_up_within_a_year(database: Database) -> None:
    """The numbers have no gaps and begin anew with the year and the prefix."""
    with database.write() as connection:
        made = [tickets.next_reference(connection, prefix, year) for prefix, year in
                (("JALO", 2026), ("JALO", 2026), ("JALO", 2027), ("ILA", 2026))]  # fmt: skip
    assert made == ["JALO-2026-0001", "JALO-2026-0002", "JALO-2027-0001", "ILA-2026-0001"]


def test_a_number_of_a_transaction_that_failed_is_given_again(database: Database) -> None:
    """No reference is lost with a transaction that did not happen."""
    with pytest.raises(RuntimeError, match="pulled"), database.write() as connection:  # noqa: PT012 - the transaction is part of it
        tickets.next_reference(connection, "JALO", 2026)
        raise RuntimeError("the plug was pulled")
    with database.write() as connection:
        assert tickets.next_reference(connection, "JALO", 2026) == "JALO-2026-0001"


def test_a_ticket_comes_back_as_it_was_stored(database: Database) -> None:
    """Moments keep their instant, lists and objects their shape, rights their order for people."""
    helsinki = datetime(2026, 11, 3, 10, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as connection:
        made = make_ticket(
            connection, (Right.ERASURE, Right.ACCESS), received_at=helsinki, flags=["child"],
            explanations={"long": {"fi": "Määräaika"}}, evidence=[{"right": "erasure", "text": "poistakaa"}],
        )  # fmt: skip
        found = tickets.by_reference(connection, " jalo-2026-0001 ")
    assert found == made
    assert found.received_at == NOW
    assert found.received_at.tzinfo is not None
    assert (found.flags, found.explanations["long"]["fi"]) == (["child"], "Määräaika")
    assert found.rights == (Right.ACCESS, Right.ERASURE)
    assert found.outcome is None


@pytest.mark.parametrize("text", ["nul \x00 inside", "lone \ud800 surrogate", "𝔉𝔯𝔞𝔨𝔱𝔲𝔯 and 😀", "x" * 200_000])
def test_any_text_of_a_mail_can_be_stored(database: Database, text: str) -> None:
    """What a database refuses is replaced, and nothing else is."""
    with database.write() as connection:
        made = make_ticket(connection, requester_name=text, flags=[text])
    assert made.requester_name == text.replace("\x00", "").replace("\ud800", "?")
    assert len(made.flags) == 1


@pytest.mark.parametrize("hours", [-14, 14])
@pytest.mark.parametrize("year", [1, 9999])
def test_the_first_and_last_hours_of_all_time_can_be_stored(database: Database, year: int, hours: int) -> None:
    """A Date header may lie so far out that it has no counterpart in UTC; it never stops the mailbox."""
    month, day = (1, 1) if year == 1 else (12, 31)
    odd = datetime(year, month, day, 12, tzinfo=timezone(timedelta(hours=hours)))
    with database.write() as connection:
        ticket = make_ticket(connection)
        messages.add(
            connection,
            {"ticket_id": ticket.id, "direction": "in", "kind": "request", "received_at": NOW, "date_at": odd},
        )
        found = messages.of_ticket(connection, ticket.id)[0].date_at
    assert found is not None
    assert abs(found.year - year) <= 1


def test_an_illegal_move_raises_and_changes_nothing(database: Database) -> None:
    """The status stays where it was, in the row too."""
    with database.write() as connection:
        ticket = make_ticket(connection)
        with pytest.raises(IllegalMoveError):
            tickets.move(connection, ticket, Event.REPLY_SENT)
        assert tickets.by_id(connection, ticket.id) == ticket


def test_a_move_starts_from_the_status_that_stands(database: Database) -> None:
    """What somebody read earlier does not overwrite what has happened since."""
    with database.write() as connection:
        stale = make_ticket(connection)
        tickets.move(connection, stale, Event.DRAFT_MADE)
        tickets.move(connection, stale, Event.REPLY_APPROVED)
        after = tickets.move(connection, stale, Event.ANSWERED_OUTSIDE_SUSPECTED)
    assert after.status is Status.APPROVED


def test_a_status_is_written_by_a_move_alone(database: Database) -> None:
    """`change` refuses the status, and the table refuses a word that is none."""
    with database.write() as connection:
        ticket = make_ticket(connection)
        with pytest.raises(ValueError, match="move"):
            tickets.change(connection, ticket, status="closed")
    with pytest.raises(RefusedStatementError), database.write() as connection:
        make_ticket(connection, status="lost")


def test_tickets_are_found_by_every_filter(database: Database) -> None:
    """Filters narrow together; the order is by due date."""
    with database.write() as connection:
        late = make_ticket(connection, due_on=date(2026, 12, 9), language="sv")
        soon = make_ticket(connection, (Right.ACCESS,), assigned_to=MEMBER)
        assert [t.id for t in tickets.find(connection)] == [soon.id, late.id]
        assert tickets.find(connection, right=Right.ACCESS, address=REQUESTER.upper(), assigned_to=MEMBER) == (soon,)
        assert tickets.find(connection, language="sv", statuses=[Status.OPEN]) == (late,)
        assert tickets.find(connection, due_by=date(2026, 12, 3)) == (soon,)
        assert tickets.maybe(connection, "JALO-2026-0099") is None
        with pytest.raises(BadInputError):
            tickets.by_reference(connection, "JALO-2026-0099")


def test_requests_questions_and_tasks_end(database: Database) -> None:
    """An outcome is of one request; a ticket has one only when all agree. A task is ticked off once."""
    with database.write() as connection:
        ticket = make_ticket(connection, (Right.ACCESS, Right.ERASURE))
        tickets.set_request(connection, ticket.id, Right.ACCESS, status="ended", outcome=Outcome.FULFILLED.value)
        assert tickets.by_id(connection, ticket.id).outcome is None
        tickets.set_request(connection, ticket.id, Right.ERASURE, status="ended", outcome=Outcome.FULFILLED.value)
        assert tickets.by_id(connection, ticket.id).outcome is Outcome.FULFILLED
        tickets.add_question(connection, ticket.id, "identity", NOW)
        assert tickets.answer_questions(connection, ticket.id, NOW) == 1
        assert tickets.answer_questions(connection, ticket.id, NOW) == 0
        tickets.add_task(connection, ticket.id, "checklist", "Soita")
        tickets.add_task(connection, ticket.id, "checklist", "Soita")
        (task,) = tickets.tasks(connection, ticket.id)
        tickets.end_task(connection, ticket.id, task.id, now=NOW, by=MEMBER, note="")
        with pytest.raises(BadInputError):
            tickets.end_task(connection, ticket.id, task.id, now=NOW, by=MEMBER, note="")


def test_a_reminder_can_be_noted_once(database: Database) -> None:
    """The same key a second time is refused by the table itself."""
    with database.write() as connection:
        ticket = make_ticket(connection)
        tickets.note_reminders(connection, ticket.id, ["2026-11-26 target"], NOW)
        assert tickets.reminded(connection, ticket.id) == {"2026-11-26 target"}
    with pytest.raises(RefusedStatementError), database.write() as connection:
        tickets.note_reminders(connection, ticket.id, ["2026-11-26 target"], NOW)


def test_a_new_version_supersedes_the_pending_one(database: Database) -> None:
    """Versions count up, and only the newest waits."""
    with database.write() as connection:
        ticket = make_ticket(connection)
        first, second = make_draft(connection, ticket), make_draft(connection, ticket, text="Hei taas")
        assert [item.state for item in drafts.of_ticket(connection, ticket.id)] == [
            DraftState.SUPERSEDED,
            DraftState.PENDING,
        ]
        assert (first.version, second.version) == (1, 2)
        assert drafts.newest(connection, ticket.id, DraftKind.REPLY) == second


def test_the_fingerprint_of_a_stored_draft_is_what_it_was(database: Database) -> None:
    """Words and attachments come back so that their fingerprint is the one that was approved."""
    files = (File(name="tiedot.pdf", type="application/pdf; " + "x" * 400, content=b"%PDF\x00\xff"),)
    with database.write() as connection:
        draft = make_draft(connection, make_ticket(connection), text="Hyvää päivää,\r\n\n😀\n", files=files)
        found = drafts.by_id(connection, draft.id)
        assert fingerprint(found.content()) == draft.fingerprint
        assert drafts.files(connection, draft.id) == files


def test_an_approval_can_be_taken_back(database: Database) -> None:
    """Taken back, it is no approval, and the draft waits again; the first of two words is none either."""
    with database.write() as connection:
        draft = make_draft(connection, make_ticket(connection))
        drafts.approve_first(connection, draft, staff=MEMBER, door="mail", now=NOW)
        assert drafts.approval_of(connection, draft.id) is None
        assert drafts.first_approver(connection, draft.id) == MEMBER
        given = drafts.approve(connection, draft, staff="bo@example.com", door="cli", now=NOW, second=MEMBER)
        assert drafts.approval_of(connection, draft.id) == given
        drafts.withdraw_approval(connection, given.id, NOW)
        assert drafts.approval_of(connection, draft.id) is None
        assert drafts.by_id(connection, draft.id).state is DraftState.PENDING


def test_a_cursor_moves_only_from_where_its_mover_knows_it(database: Database) -> None:
    """A second poller that lost its lock can not act on what the first has acted on."""
    with database.write() as connection:
        assert cursors.advance(connection, "INBOX", None, 7, 10, NOW)
        assert not cursors.advance(connection, "INBOX", None, 7, 11, NOW)
        known = cursors.get(connection, "INBOX")
        assert known is not None
        assert cursors.advance(connection, "INBOX", known, 7, 12, NOW)
        assert not cursors.advance(connection, "INBOX", known, 7, 13, NOW)
        after = cursors.get(connection, "INBOX")
    assert after is not None
    assert after.last_uid == 12


def test_a_cursor_keeps_unsigned_numbers(database: Database) -> None:
    """UIDVALIDITY and UID have 32 bits without a sign."""
    with database.write() as connection:
        cursors.put(connection, "Roskaposti/ä", 2**32 - 1, 2**32 - 2, NOW)
        cursors.put(connection, "Roskaposti/ä", 2**32 - 1, 2**32 - 1, NOW)
        assert [(c.folder, c.uidvalidity, c.last_uid) for c in cursors.folders(connection)] == [
            ("Roskaposti/ä", 2**32 - 1, 2**32 - 1)
        ]


def test_mail_that_is_read_again_is_remembered_once(database: Database) -> None:
    """A folder whose numbers come back (a restored mailbox) is judged anew and collides with nothing."""
    item = Seen(uid=5, verdict="not_request", hash="a" * 64)
    with database.write() as connection:
        cursors.remember(connection, "INBOX", 7, [item, Seen(uid=6, verdict="automatic", hash="b" * 64)], "1", NOW)
        cursors.remember(connection, "INBOX", 7, [Seen(uid=5, verdict="ticket", hash="a" * 64)], "2", NOW)
        assert cursors.count_seen(connection) == 2
        assert cursors.known(connection, ["a" * 64, "c" * 64]) == {"a" * 64}
        assert cursors.forget_before(connection, NOW + timedelta(days=1)) == 2


def test_a_fact_of_the_machine_is_replaced_or_written_once(database: Database) -> None:
    """`note_state` replaces, `note_state_once` does not."""
    with database.write() as connection:
        cursors.note_state(connection, "polled", "ok", NOW)
        cursors.note_state(connection, "polled", "ok", NOW + timedelta(hours=1))
        assert cursors.read_state(connection, "polled") == ("ok", NOW + timedelta(hours=1))
        assert cursors.note_state_once(connection, "late 1", "told", NOW)
        assert not cursors.note_state_once(connection, "late 1", "told again", NOW)
        assert cursors.read_state(connection, "late 1") == ("told", NOW)


def test_messages_are_found_by_id_hash_and_place(database: Database) -> None:
    """A message is recognised by its Message-ID, by its keyed hash, and by where it lies, also after a move."""
    row = {"direction": "in", "kind": "request", "message_id": "<a@x>", "hash": "h" * 64, "folder": "INBOX",
           "uidvalidity": 7, "uid": 3, "received_at": NOW, "raw": b"\x00\xff"}  # fmt: skip
    with database.write() as connection:
        ticket = make_ticket(connection)
        number = messages.add(connection, {**row, "ticket_id": ticket.id})
        assert messages.tickets_of_ids(connection, ["<z@x>", "<a@x>"]) == (ticket.id,)
        assert {seen for seen in ("h" * 64, "g" * 64) if messages.has_hash(connection, seen)} == {"h" * 64}
        messages.move_place(connection, "h" * 64, "Archive", 9, 4)
        assert messages.placed(connection, "Archive", 9, ["open"]) == {4: ticket.id}
        assert messages.placed(connection, "INBOX", 7, ["open"]) == {}
        assert messages.raw(connection, number) == b"\x00\xff"
        messages.blank(connection, ticket.id, all_text=True)
        assert messages.raw(connection, number) is None
        assert messages.of_ticket(connection, ticket.id)[0].message_id == ""


def test_what_is_blanked_leaves_no_word(database: Database) -> None:
    """After a purge only status, dates and outcomes are left of a ticket."""
    with database.write() as connection:
        ticket = make_ticket(connection, postal_address="Katu 1", evidence=[{"text": "poistakaa"}])
        draft = make_draft(connection, ticket, files=(File(name="a.txt", type="text/plain", content=b"Ritva"),))
        tickets.add_task(connection, ticket.id, "checklist", "Soita Ritvalle")
        tickets.blank(connection, ticket.id, NOW)
        drafts.blank(connection, ticket.id, all_text=True)
        tables = [connection.rows(f"SELECT * FROM {name}") for name in ("ticket", "task", "draft", "attachment")]
        assert drafts.files(connection, draft.id)[0].content == b""
        assert tickets.by_id(connection, ticket.id).due_on == ticket.due_on
    assert all("ritva" not in repr(rows).lower() and "Katu" not in repr(rows) for rows in tables)
