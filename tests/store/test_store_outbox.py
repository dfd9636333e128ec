"""The outbox: what can not be queued, what is due, what is remembered of attempts."""

from datetime import timedelta

import pytest
from making import HOUR, MEMBER, NOW, make_draft, make_ticket, queue_notice, queue_reply, row_of

from mailbot.errors import ServiceUnavailableError
from mailbot.store import drafts, outbox
from mailbot.store.database import Database
from mailbot.store.failures import RefusedStatementError


@pytest.mark.parametrize(
    "wrong",
    [{"approval_id": None}, {"fingerprint": None}, {"fingerprint": "0" * 64}, {"draft_id": None}, {"approval_id": 999}],
    ids=["no approval", "no fingerprint", "another fingerprint", "no draft", "an approval nobody gave"],
)
def test_a_reply_without_its_very_approval_can_not_be_queued(database: Database, wrong: dict[str, object]) -> None:
    """The database itself refuses a mail to a data subject that no approval of exactly that stands behind."""
    with database.write() as connection:
        draft = make_draft(connection, make_ticket(connection))
        given = drafts.approve(connection, draft, staff=MEMBER, door="cli", now=NOW)
    with pytest.raises(RefusedStatementError), database.write() as connection:
        outbox.queue(connection, {**row_of(draft, given.id), **wrong}, b"x")
    with database.read() as connection:
        assert outbox.waiting(connection) == 0


def test_the_approval_of_one_draft_sends_no_other(database: Database) -> None:
    """Two drafts with the same words have the same fingerprint, and still each needs its own approval."""
    with database.write() as connection:
        ticket = make_ticket(connection)
        first, second = make_draft(connection, ticket), make_draft(connection, ticket)
        given = drafts.approve(connection, first, staff=MEMBER, door="cli", now=NOW)
    assert first.fingerprint == second.fingerprint
    with pytest.raises(RefusedStatementError), database.write() as connection:
        outbox.queue(connection, row_of(second, given.id), b"x")


def test_the_same_row_with_its_approval_is_taken(database: Database) -> None:
    """What the test above refuses is refused for the approval alone."""
    with database.write() as connection:
        assert queue_reply(connection).state == "queued"


def test_what_is_queued_for_staff_needs_no_approval(database: Database) -> None:
    """Mail to staff is queued without any."""
    with database.write() as connection:
        assert queue_notice(connection).approval_id is None


def test_an_unknown_audience_is_refused(database: Database) -> None:
    """A word that the code does not know never reaches a row, so no audience can slip past the rule."""
    with pytest.raises(ServiceUnavailableError), database.write() as connection:
        queue_notice(connection, audience="somebody")


def test_replies_go_before_notices_and_each_is_offered_once_a_round(database: Database) -> None:
    """Mail to data subjects first, then the rest in the order it was queued; `after` never goes back."""
    with database.write() as connection:
        queue_notice(connection)
        queue_notice(connection, at=NOW - HOUR)
        queue_reply(connection)
    order, last = [], None
    with database.read() as connection:
        while found := outbox.due(connection, NOW, after=last, limit=1):
            last = found[0]
            order.append((last.audience, last.id))
    assert order == [("data_subject", 3), ("staff", 1), ("staff", 2)]


def test_a_mail_is_due_when_its_time_has_come(database: Database) -> None:
    """Not before, and not after it was sent."""
    with database.write() as connection:
        mail = queue_reply(connection)
        outbox.defer(connection, mail.id, NOW + HOUR, answered_failure=True)
        assert not outbox.due(connection, NOW)
        assert outbox.take(connection, mail.id, NOW) is None
        assert [item.id for item in outbox.due(connection, NOW + HOUR)] == [mail.id]
        outbox.accepted(connection, mail, NOW)
        assert not outbox.due(connection, NOW + HOUR)
        assert outbox.take(connection, mail.id, NOW + HOUR) is None


def test_a_clock_set_back_holds_no_mail_back(database: Database) -> None:
    """A mail queued or put off under a clock that ran ahead is due at once when the clock is right again."""
    with database.write() as connection:
        queued = queue_reply(connection, made_at=NOW, next_at=NOW)
        put_off = queue_notice(connection, at=NOW)
        outbox.defer(connection, put_off.id, NOW + HOUR, answered_failure=False)
        year_before = NOW - timedelta(days=365)
        assert {item.id for item in outbox.due(connection, year_before)} == {queued.id, put_off.id}
        assert outbox.take(connection, queued.id, year_before) is not None


def test_back_off_is_kept_while_the_clock_is_behind(database: Database) -> None:
    """A mail that was put off now, by a clock that is right now, waits, although it was made in the future."""
    with database.write() as connection:
        mail = queue_reply(connection)
        before = NOW - timedelta(days=3)
        outbox.defer(connection, mail.id, before + HOUR, answered_failure=True)
        assert not outbox.due(connection, before)
        assert outbox.due(connection, before + HOUR)


def test_only_answered_failures_count(database: Database) -> None:
    """The back-off counts what a server said, never a server that was away."""
    with database.write() as connection:
        mail = queue_reply(connection)
        outbox.defer(connection, mail.id, NOW + HOUR, answered_failure=False)
        assert outbox.by_id(connection, mail.id).attempts == 0
        outbox.defer(connection, mail.id, NOW + HOUR, answered_failure=True)
        assert outbox.by_id(connection, mail.id).attempts == 1


def test_attempts_without_a_result_are_counted_since_the_last_result(database: Database) -> None:
    """A sender that died leaves its attempt open; a result of a later one ends the count."""
    with database.write() as connection:
        mail = queue_reply(connection)
        for _ in range(3):
            last = outbox.begin_attempt(connection, mail.id, NOW)
        assert outbox.unrecorded(connection, mail.id) == 3
        outbox.end_attempt(connection, last, result="deferred", answer="451", now=NOW)
        assert outbox.unrecorded(connection, mail.id) == 0
        outbox.begin_attempt(connection, mail.id, NOW)
        assert outbox.unrecorded(connection, mail.id) == 1
        assert [item.result for item in outbox.attempts(connection, mail.id)] == [None, None, "deferred", None]


def test_staff_mail_leaves_no_bytes_once_it_is_gone(database: Database) -> None:
    """A token is at rest only as a hash; the bytes of a reply stay as proof of what was sent."""
    with database.write() as connection:
        notice, reply = queue_notice(connection), queue_reply(connection)
        for mail in (notice, reply):
            outbox.accepted(connection, mail, NOW)
        assert outbox.by_id(connection, notice.id).raw is None
        assert outbox.by_id(connection, notice.id).message_id == ""
        assert outbox.by_id(connection, reply.id).raw is not None
        assert [item.id for item in outbox.by_message_ids(connection, [notice.message_id])] == [notice.id]


def test_a_failed_staff_mail_leaves_no_bytes_either(database: Database) -> None:
    """What is not tried any more has no use for its bytes."""
    with database.write() as connection:
        notice = queue_notice(connection)
        outbox.end(connection, notice.id, "failed", NOW)
        assert outbox.by_id(connection, notice.id).raw is None


def test_a_token_is_used_once(database: Database) -> None:
    """The second use of a token changes nothing and says so."""
    with database.write() as connection:
        ticket = make_ticket(connection)
        row = {"hash": outbox.hashed("MB-1"), "message_id_hash": outbox.hashed("<n@x>"), "staff": MEMBER}
        outbox.add_token(connection, {**row, "ticket_id": ticket.id, "made_at": NOW, "expires_at": NOW + HOUR})
        by_value = outbox.tokens(connection, ["MB-1"], ())
        assert by_value == outbox.tokens(connection, (), ["<n@x>"])
        assert outbox.use_token(connection, by_value[0].id, NOW)
        assert not outbox.use_token(connection, by_value[0].id, NOW)
        assert not outbox.tokens(connection, ["MB-2"], ["<other@x>"])


def test_answers_are_counted_by_address_within_the_hour(database: Database) -> None:
    """An answer counts for its address whatever its case, for an hour, and not while the clock is before it."""
    with database.write() as connection:
        outbox.note_answer(connection, "Anna@example.com", "JALO-2026-0001", NOW)
        assert outbox.answers_between(connection, "anna@example.com", NOW - HOUR, NOW) == 1
        assert outbox.answers_between(connection, "anna@example.com", NOW, NOW + HOUR) == 0
        assert outbox.answers_between(connection, "other@example.com", NOW - HOUR, NOW) == 0
        assert outbox.answers_between(connection, "anna@example.com", NOW - 2 * HOUR, NOW - HOUR) == 0


def test_a_purged_ticket_leaves_no_address_in_the_outbox(database: Database) -> None:
    """Bytes, addresses and answers go; a mail that still waits keeps its own."""
    with database.write() as connection:
        sent = queue_reply(connection)
        attempt = outbox.begin_attempt(connection, sent.id, NOW)
        outbox.end_attempt(connection, attempt, result="accepted", answer="250 for ritva@example.org", now=NOW)
        outbox.accepted(connection, sent, NOW)
        waiting = queue_notice(connection, ticket_id=sent.ticket_id)
        outbox.forget_ticket(connection, sent.ticket_id or 0)
        after = outbox.by_id(connection, sent.id)
        assert (after.raw, after.recipient, after.message_id) == (None, "", "")
        assert outbox.attempts(connection, sent.id)[0].answer == ""
        assert outbox.by_id(connection, waiting.id).raw is not None


def test_a_naive_moment_never_reaches_a_row(database: Database) -> None:
    """A moment without a zone is refused before the database sees it."""
    with pytest.raises(Exception, match="naive"), database.write() as connection:
        connection.add("outbox", {"audience": "staff", "made_at": NOW.replace(tzinfo=None)})


def test_a_mail_whose_attempt_was_interrupted_is_known(database: Database) -> None:
    """It has an attempt without a result; one that was taken back, or has its result, does not count."""
    with database.write() as connection:
        mail = queue_notice(connection)
        ended, taken_back = (outbox.begin_attempt(connection, mail.id, NOW) for _ in range(2))
        outbox.end_attempt(connection, ended, result="deferred", answer="451", now=NOW)
        outbox.take_back(connection, taken_back)
        assert [item.repeated for item in outbox.due(connection, NOW)] == [0]
        outbox.begin_attempt(connection, mail.id, NOW)
        assert [item.repeated for item in outbox.due(connection, NOW)] == [1]
