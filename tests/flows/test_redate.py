"""Open tickets are dated anew when the list of holidays or the policy changes; staff hear of what moved, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from bureau import MAIJA, START, Bureau, body, reply_to, written
from servers.smtp_sink import Behaviour

from mailbot.core.ticket import Status
from mailbot.flows.office import Office
from mailbot.flows.redate import redate
from mailbot.gateway.working_days import WorkingDays

DUE = date(2026, 12, 3)


def with_days_off(office: Office, *days: date) -> Office:
    """The same office after somebody wrote these days off into its configuration."""
    return replace(office, calendar=WorkingDays("FI", extra=days))


def test_a_dry_run_shows_the_difference_and_changes_nothing(bureau: Bureau) -> None:
    """What would move is shown with old and new dates, and neither ticket, chain nor staff notice it."""
    bureau.opened()
    before, events = bureau.ticket(), bureau.events()
    done = redate(with_days_off(bureau.house.office, DUE), now=bureau.now, dry_run=True)
    (shift,) = done.shifts
    assert (shift.before["due_on"], shift.after["due_on"]) == (DUE, date(2026, 12, 4))
    assert bureau.ticket() == before
    assert bureau.events() == events
    assert bureau.deliver() == []


def test_a_new_holiday_moves_the_date_and_staff_hear_of_it(bureau: Bureau) -> None:
    """The new date is written with its explanation and an audit entry, and the notice says why it came."""
    bureau.opened()
    office = with_days_off(bureau.house.office, DUE)
    redate(office, now=bureau.now, by="cli:root")
    assert bureau.ticket().due_on == date(2026, 12, 4)
    assert "Fri 4 Dec 2026" in bureau.ticket().explanations["long"]["en"]
    (notice,) = bureau.deliver()
    why = bureau.house.texts.words("en")["staff"]["news"]["redated"]
    assert why in " ".join(body(notice).split())
    assert "Fri 4 Dec 2026" in body(notice)
    (entry,) = bureau.events("redated")
    assert '"due_on":"2026-12-03"' in entry
    assert '"due_on":"2026-12-04"' in entry


def test_doing_it_twice_changes_nothing_more(bureau: Bureau) -> None:
    """The second time nothing moves, nothing is written, and nobody is told again."""
    bureau.opened()
    office = with_days_off(bureau.house.office, DUE)
    redate(office, now=bureau.now)
    bureau.deliver()
    done = redate(office, now=bureau.now)
    assert (done.shifts, done.unmoved) == ([], 1)
    assert bureau.deliver() == []
    assert len(bureau.events("redated")) == 1


def test_ended_tickets_keep_their_dates(bureau: Bureau) -> None:
    """What was answered in time stays answered in time, whatever is decreed later."""
    bureau.answered()
    assert bureau.ticket().status is Status.ANSWERED
    done = redate(with_days_off(bureau.house.office, DUE), now=bureau.now)
    assert (done.shifts, done.unmoved) == ([], 0)
    assert bureau.ticket().due_on == DUE


def test_a_notice_of_a_moved_date_can_be_answered(bureau: Bureau) -> None:
    """It carries a code of its own: one word approves the draft it shows."""
    bureau.opened()
    redate(with_days_off(bureau.house.office, DUE), now=bureau.now)
    (notice,) = bureau.deliver()
    bureau.round(reply_to(notice, "approve"))
    assert bureau.ticket().status is Status.ANSWERED


def test_many_moved_dates_come_as_one_list(bureau_of: Callable[..., Bureau]) -> None:
    """Above the cap of notices all moved tickets stand in one mail, and none is left out."""
    bureau = bureau_of(more="[limits]\nnotices_per_hour = 2")
    texts = [f"Hello,\n\nplease delete all my personal data from your registers.\n\nPerson {n}\n" for n in range(3)]
    mails = [written(f"p{n}@customer.example", "Request", text, to=bureau.contact) for n, text in enumerate(texts)]
    bureau.round(*mails)
    bureau.now += timedelta(hours=2)
    redate(with_days_off(bureau.house.office, DUE), now=bureau.now)
    (digest,) = bureau.deliver()
    assert all(ticket.reference in body(digest) for ticket in bureau.tickets())
    assert MAIJA not in body(digest)


def test_a_reminder_that_was_said_is_not_said_again_for_the_new_date(bureau: Bureau) -> None:
    """After the date moved, what was planned for the days before the notice of it needs no reminder."""
    bureau.opened()
    bureau.now += timedelta(days=20)
    bureau.remind()
    redate(with_days_off(bureau.house.office, DUE), now=bureau.now)
    bureau.deliver()
    assert bureau.remind() == []


def test_the_alarm_of_an_unsent_reply_follows_the_new_date(bureau_of: Callable[..., Bureau]) -> None:
    """A reply is approved and waits while its date moves a day earlier: the warning comes a day before that one."""
    days_off = f'[calendar]\nextra_days_off = [{DUE}]\n[alarm]\nemail = "admin@other-domain.example"'
    bureau = bureau_of(more=days_off)
    notice = bureau.opened()
    bureau.now = START + timedelta(days=(DUE - START.date()).days - 2)
    bureau.arrive(reply_to(notice, "approve"))
    bureau.poll()
    assert bureau.ticket().status is Status.APPROVED
    redate(replace(bureau.house.office, calendar=WorkingDays("FI")), now=bureau.now)
    assert bureau.ticket().due_on == DUE
    bureau.now += timedelta(days=1)
    bureau.smtp.behaviour = Behaviour.DEFER
    try:
        bureau.deliver()
    finally:
        bureau.smtp.behaviour = Behaviour.ACCEPT
    bureau.now += timedelta(minutes=5)
    bureau.deliver()
    (alarm,) = bureau.to("admin@other-domain.example")
    assert bureau.ticket().reference in str(alarm["Subject"]) + body(alarm)
