"""The table of a ticket's life, tried on every status with every event."""

from datetime import date

import pytest

from mailbot.core.rights import Ground
from mailbot.core.ticket import (
    ENDED,
    OPENING,
    RECORDED_ANYWHERE,
    RUNNING,
    TRANSITIONS,
    ClosingFacts,
    Event,
    ExtensionFacts,
    Status,
    apply,
    closing_blocked_by,
    diagram,
    extension_blocked_by,
    refusal_blocked_by,
    reopening_blocked_by,
)
from mailbot.errors import IllegalMoveError

EVERY_PAIR = [(status, event) for status in Status for event in Event]
LEGAL = [(s, e) for s, e in EVERY_PAIR if e in TRANSITIONS[s]]
RECORDED = [(s, e) for s, e in EVERY_PAIR if e not in TRANSITIONS[s] and e in RECORDED_ANYWHERE]
ILLEGAL = [(s, e) for s, e in EVERY_PAIR if e not in TRANSITIONS[s] and e not in RECORDED_ANYWHERE]


def reachable_from(*starts: Status) -> set[Status]:
    seen: set[Status] = set()
    waiting = list(starts)
    while waiting:
        status = waiting.pop()
        if status not in seen:
            seen.add(status)
            waiting.extend(TRANSITIONS[status].values())
    return seen


def walk(start: Status, *events: Event) -> Status:
    status = start
    for event in events:
        status = apply(status, event)
    return status


def test_table_names_every_status() -> None:
    """Every status stands in the table."""
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize(("status", "event"), LEGAL)
def test_legal_moves(status: Status, event: Event) -> None:
    """A move of the table leads where the table says."""
    assert apply(status, event) is TRANSITIONS[status][event]


@pytest.mark.parametrize(("status", "event"), RECORDED)
def test_world_is_never_illegal(status: Status, event: Event) -> None:
    """What happened in the world is recorded in every status and moves nothing the table does not move."""
    assert apply(status, event) is status


@pytest.mark.parametrize(("status", "event"), ILLEGAL)
def test_illegal_moves(status: Status, event: Event) -> None:
    """An illegal move raises one line that names the status, the event and what is possible, and changes nothing."""
    before = {key: dict(moves) for key, moves in TRANSITIONS.items()}
    with pytest.raises(IllegalMoveError) as caught:
        apply(status, event)
    line = str(caught.value)
    assert "\n" not in line
    assert status in line
    assert event in line
    assert all(possible in line for possible in TRANSITIONS[status])
    assert before == TRANSITIONS


def test_every_status_is_reachable() -> None:
    """Every status can be reached from the two in which a ticket opens."""
    assert reachable_from(*OPENING) == set(Status)


@pytest.mark.parametrize("status", sorted(set(Status) - ENDED))
def test_every_running_status_can_end(status: Status) -> None:
    """No ticket can be stuck: from every status that is no end, an end can be reached."""
    assert reachable_from(status) & ENDED


@pytest.mark.parametrize("event", sorted(Event))
def test_every_event_has_a_place(event: Event) -> None:
    """Every event is legal somewhere."""
    assert event in RECORDED_ANYWHERE or any(event in moves for moves in TRANSITIONS.values())


def test_ends_are_left_only_by_reopening_or_a_bounce() -> None:
    """An ended ticket moves only when it is reopened or its reply comes back."""
    leaving = {e for status in ENDED for e, target in TRANSITIONS[status].items() if target is not status}
    assert leaving == {Event.REOPENED, Event.REPLY_BOUNCED}


def test_only_a_sent_reply_or_a_word_of_staff_answers() -> None:
    """A running ticket becomes answered by the sent reply of an approved one, or by the word of staff, alone."""
    ways = {(s, e) for s, e in LEGAL if s in RUNNING and TRANSITIONS[s][e] is Status.ANSWERED}
    assert {event for _, event in ways} == {Event.REPLY_SENT, Event.ANSWERED_OUTSIDE}
    assert {status for status, event in ways if event is Event.REPLY_SENT} == {Status.APPROVED}


@pytest.mark.parametrize("event", [Event.ACKNOWLEDGED, Event.EXTENDED, Event.LIFTING_ANNOUNCED])
def test_other_mail_moves_nothing(event: Event) -> None:
    """Sending an acknowledgement, an extension notice or a lifting notice moves no ticket."""
    assert all(apply(status, event) is status for status in Status)


@pytest.mark.parametrize("event", [Event.IDENTITY_ASKED, Event.AUTHORITY_ASKED, Event.CLARIFICATION_ASKED])
def test_question_never_answers(event: Event) -> None:
    """A question that was sent makes a ticket wait or leaves it; it never answers it."""
    waiting = {Status.AWAITING_IDENTITY, Status.AWAITING_REQUESTER}
    assert all(apply(status, event) in waiting | {status} for status in Status)


def test_suspicion_of_an_outside_answer_moves_nothing() -> None:
    """An answer that is only suspected moves no ticket."""
    assert all(apply(status, Event.ANSWERED_OUTSIDE_SUSPECTED) is status for status in Status)


def test_ordinary_life() -> None:
    """The ordinary request is drafted, approved, sent and closed."""
    events = (Event.DRAFT_MADE, Event.REPLY_APPROVED, Event.REPLY_SENT, Event.CLOSED)
    assert walk(Status.OPEN, *events) is Status.CLOSED


def test_life_with_questions() -> None:
    """A ticket that asks twice comes back to open with each answer."""
    events = (Event.DRAFT_MADE, Event.IDENTITY_ASKED, Event.REQUESTER_ANSWERED, Event.IDENTITY_ASKED)
    assert walk(Status.OPEN, *events) is Status.AWAITING_IDENTITY
    assert walk(Status.OPEN, *events, Event.IDENTITY_CONFIRMED, Event.DRAFT_MADE) is Status.DRAFTED


def test_silent_requester_can_be_answered() -> None:
    """When no answer comes, the reply can be approved while the question is open."""
    events = (Event.IDENTITY_ASKED, Event.REFUSED, Event.DRAFT_MADE, Event.REPLY_APPROVED, Event.REPLY_SENT)
    assert walk(Status.OPEN, *events) is Status.ANSWERED


def test_bounce_reopens() -> None:
    """A reply that comes back reopens an answered and a closed ticket."""
    assert apply(Status.ANSWERED, Event.REPLY_BOUNCED) is Status.OPEN
    assert apply(Status.CLOSED, Event.REPLY_BOUNCED) is Status.OPEN


def test_reply_in_flight_when_withdrawn() -> None:
    """A reply that was on its way when the request was withdrawn is recorded and leaves the ticket withdrawn."""
    assert walk(Status.APPROVED, Event.REQUEST_WITHDRAWN, Event.REPLY_SENT) is Status.WITHDRAWN


def test_nothing_blocks_a_finished_ticket() -> None:
    """A ticket without open duties can close."""
    assert closing_blocked_by(ClosingFacts()) == ()


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (ClosingFacts(unsent_reply=True), "not been sent"),
        (ClosingFacts(open_tasks=("tell the accounting office",)), "accounting office"),
        (ClosingFacts(lifted_without_notice=True), "not been told"),
        (ClosingFacts(unanswered=("access",)), "access"),
    ],
)
def test_each_open_duty_blocks_closing(facts: ClosingFacts, word: str) -> None:
    """Each open duty alone blocks the closing and is named."""
    (reason,) = closing_blocked_by(facts)
    assert word in reason


def test_all_duties_are_named_at_once() -> None:
    """Every reason is named at once, one line each."""
    facts = ClosingFacts(unsent_reply=True, open_tasks=("a", "b"), lifted_without_notice=True, unanswered=("access",))
    assert len(closing_blocked_by(facts)) == 5


def extension(**changes: object) -> ExtensionFacts:
    facts: dict[str, object] = {
        "status": Status.OPEN,
        "reason": "eleven registers of four companies must be read",
        "today": date(2026, 12, 3),
        "one_month_on": date(2026, 12, 3),
    }
    return ExtensionFacts(**(facts | changes))  # type: ignore[arg-type]


def test_extension_is_possible_on_the_last_day() -> None:
    """On the one-month date itself the time can still be extended."""
    assert extension_blocked_by(extension()) == ()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"today": date(2026, 12, 4)}, "2026-12-03"),
        ({"reason": "  \n"}, "reason"),
        ({"already_extended": True}, "once"),
        ({"status": Status.CLOSED}, "closed"),
        ({"status": Status.ANSWERED}, "answered"),
        ({"status": Status.NEEDS_TRIAGE}, "needs_triage"),
    ],
)
def test_extension_is_refused(changes: dict[str, object], word: str) -> None:
    """After the one-month date, twice, without a reason, or on a ticket not running, there is no extension."""
    (reason,) = extension_blocked_by(extension(**changes))
    assert word in reason


def test_refusal_needs_ground_and_reasons() -> None:
    """A refusal needs its legal ground and its reasons, and both absences are named."""
    assert refusal_blocked_by(Ground.LEGAL_OBLIGATION, "vouchers are kept six years") == ()
    assert len(refusal_blocked_by(None, " ")) == 2
    assert "ground" in refusal_blocked_by(None, "because")[0]
    assert "reasons" in refusal_blocked_by(Ground.LEGAL_OBLIGATION, "")[0]


def test_dismissed_ticket_reopens_for_seven_days() -> None:
    """A dismissed ticket can be reopened on the seventh day and not on the eighth; a closed one later too."""
    dismissed = date(2026, 11, 2)
    assert reopening_blocked_by(Status.DISMISSED, ended_on=dismissed, today=date(2026, 11, 9)) == ()
    assert "2026-11-09" in reopening_blocked_by(Status.DISMISSED, ended_on=dismissed, today=date(2026, 11, 10))[0]
    assert reopening_blocked_by(Status.CLOSED, ended_on=dismissed, today=date(2026, 11, 10)) == ()


def test_purged_ticket_never_reopens() -> None:
    """A ticket whose content was purged is not reopened."""
    today = date(2026, 11, 3)
    assert reopening_blocked_by(Status.CLOSED, ended_on=today, today=today, purged=True) != ()


def test_diagram_shows_exactly_the_moves_of_the_table() -> None:
    """The diagram has an arrow for every move between two statuses, no other, and a start and an end."""
    drawn = set()
    for line in diagram().splitlines()[1:]:
        arrow, _, events = line.strip().partition(": ")
        source, target = arrow.split(" --> ")
        drawn |= {(source, target, event) for event in events.split(", ")} if events else {(source, target, "")}
    moves = {(s.value, TRANSITIONS[s][e].value, e.value) for s, e in LEGAL if TRANSITIONS[s][e] is not s}
    ends = {("[*]", s.value, "") for s in OPENING} | {(s.value, "[*]", "") for s in ENDED}
    assert drawn == moves | ends
    assert diagram().startswith("stateDiagram-v2\n")
