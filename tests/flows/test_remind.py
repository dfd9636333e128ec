"""Staff are reminded once of each thing, whatever was missed, and whoever is away; through the real flows."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

import pytest
from bureau import ANNA, MAIJA, Bureau, Person, body, code, reply_to, written
from icalendar import Calendar

from mailbot.core.ticket import Status
from mailbot.flows import decide
from mailbot.flows.office import Office
from mailbot.flows.redate import redate
from mailbot.flows.remind import remind
from mailbot.gateway.working_days import WorkingDays

DEPUTY = """
[[staff]]
name = "Anna Approver"
email = "anna@example.com"
language = "en"
deputy = "bert@example.com"
away = [{first = 2026-11-09, last = 2026-11-20}]
[[staff]]
name = "Bert Second"
email = "bert@example.com"
language = "en"
"""
ALONE = """
[[staff]]
name = "Anna Approver"
email = "anna@example.com"
language = "en"
away = [{first = 2026-11-02, last = 2026-11-20}]
[alarm]
email = "admin@other-domain.example"
"""
STOP = "Hei,\n\nkiellän suoramarkkinoinnin. Älkää enää lähettäkö minulle mainoksia.\n\nMaija Mallinen\n"


def morning(bureau: Bureau, day: date) -> list[EmailMessage]:
    """Eight o'clock of that day: what is said, and sent."""
    bureau.now = datetime(day.year, day.month, day.day, 6, 0, tzinfo=UTC)
    remind(bureau.house.office, now=bureau.now, mornings_only=True)
    return bureau.deliver()


def entry(mail: EmailMessage) -> "Calendar | None":
    """The calendar file of a mail."""
    files = [part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar"]
    return Calendar.from_ical(files[0].get_content()) if files else None


def test_each_planned_day_has_its_reminder_and_no_other_day(bureau: Bureau) -> None:
    """Due Thu 3 Dec: 14, 7, 3 and 1 working days before, the last safe day to extend, the day itself, then daily."""
    bureau.opened()
    start = date(2026, 11, 4)
    said = [day for n in range(34) if morning(bureau, day := start + timedelta(days=n))]
    silence, eve, due = date(2026, 11, 10), date(2026, 12, 2), date(2026, 12, 3)
    before = [date(2026, 11, 13), date(2026, 11, 24), date(2026, 11, 30)]
    assert said == [silence, *before, eve, due, date(2026, 12, 4), date(2026, 12, 7)]


def test_saying_it_twice_a_day_is_saying_it_once(bureau: Bureau) -> None:
    """The second round of the same morning has nothing to say."""
    bureau.opened()
    assert morning(bureau, date(2026, 11, 13))
    assert morning(bureau, date(2026, 11, 13)) == []


def test_two_rounds_at_once_say_it_once(bureau: Bureau) -> None:
    """Eight rounds start in the same moment on the same file; the reminder is queued once."""
    bureau.opened()
    bureau.now = datetime(2026, 12, 3, 6, 0, tzinfo=UTC)
    together = threading.Barrier(8)

    def one() -> None:
        together.wait()
        remind(bureau.house.office, now=bureau.now)

    rounds = [threading.Thread(target=one) for _ in range(8)]
    for each in rounds:
        each.start()
    for each in rounds:
        each.join()
    kinds = [str(mail["Subject"]) for mail in bureau.deliver()]
    assert len([kind for kind in kinds if "reminder" in kind]) == 1
    assert len([kind for kind in kinds if "nobody has answered" in kind]) == 1


def test_two_weeks_off_cost_no_reminder(bureau: Bureau) -> None:
    """What was planned while the machine was off is said in one mail on the first morning after."""
    bureau.opened()
    morning(bureau, date(2026, 11, 10))
    (reminder,) = morning(bureau, date(2026, 11, 25))
    assert "3 December 2026" in str(reminder["Subject"])
    assert morning(bureau, date(2026, 11, 26)) == []


def test_a_machine_that_was_off_on_the_last_day_says_that_it_is_overdue(bureau: Bureau) -> None:
    """The reminder speaks of things as they stand, not of what was planned."""
    bureau.opened()
    mails = morning(bureau, date(2026, 12, 8))
    assert any("OVERDUE" in str(mail["Subject"]) for mail in mails)


def test_nobody_is_woken_at_night_or_on_a_day_off(bureau: Bureau) -> None:
    """Before seven, on Sunday and on Independence Day nothing is said; the next working morning says it."""
    bureau.opened()
    for moment in (datetime(2026, 12, 4, 3, 0), datetime(2026, 12, 5, 9, 0), datetime(2026, 12, 6, 9, 0)):  # noqa: DTZ001 - a calendar file holds plain days
        bureau.now = moment.replace(tzinfo=UTC)
        assert remind(bureau.house.office, now=bureau.now, mornings_only=True).reminded == []
    assert morning(bureau, date(2026, 12, 7))


def test_one_word_in_answer_to_a_reminder_ends_it(bureau: Bureau) -> None:
    """A reminder shows the draft and carries a code: approving it answers the person, and no reminder follows."""
    bureau.opened()
    reminder = morning(bureau, date(2026, 11, 30))[0]
    assert code(reminder)
    bureau.round(reply_to(reminder, "approve"))
    assert bureau.ticket().status is Status.ANSWERED
    assert all(morning(bureau, date(2026, 12, day)) == [] for day in range(1, 12))


def test_mail_to_one_who_is_away_goes_to_the_deputy(bureau_of: Callable[..., Bureau]) -> None:
    """Within the period the deputy alone hears of it, once; before and after it the person does."""
    bureau = bureau_of(staff=(), more=DEPUTY)
    bureau.opened()
    assert {str(mail["To"].addresses[0].addr_spec) for mail in bureau.sent} == {"anna@example.com", "bert@example.com"}
    told = [*morning(bureau, date(2026, 11, 10)), *morning(bureau, date(2026, 11, 13))]
    assert [str(mail["To"].addresses[0].addr_spec) for mail in told] == ["bert@example.com"] * 2
    to = [mail["To"].addresses[0].addr_spec for mail in morning(bureau, date(2026, 11, 24))]
    assert sorted(to) == ["anna@example.com", "bert@example.com"]


def test_the_deputy_hears_of_a_ticket_that_nobody_touches(bureau_of: Callable[..., Bureau]) -> None:
    """Five working days of silence, then the deputy is told; once somebody has acted nobody is."""
    bureau = bureau_of(staff=(), more=DEPUTY)
    bureau.opened()
    assert morning(bureau, date(2026, 11, 9)) == []
    (told,) = morning(bureau, date(2026, 11, 10))
    assert "nobody has answered" in str(told["Subject"])
    assert "bert@example.com" in str(told["To"])
    assert len(bureau.events("reminded")) == 1


def test_a_ticket_that_somebody_works_on_is_not_silent(bureau_of: Callable[..., Bureau]) -> None:
    """A note of staff is enough: the deputy hears nothing until the last day comes near."""
    bureau = bureau_of(staff=(), more=DEPUTY)
    bureau.opened()
    with bureau.house.office.database.write() as connection:
        who = bureau.actor()
        decide.note(connection, bureau.ticket().reference, who, now=bureau.now, text="I am looking for the contract")
    assert morning(bureau, date(2026, 11, 10)) == []


def test_a_lone_person_who_is_away_is_replaced_by_the_alarm_address(bureau_of: Callable[..., Bureau]) -> None:
    """Somebody must hear of it; but an address outside decides nothing, so its mail carries no code."""
    bureau = bureau_of(staff=(), more=ALONE)
    notice = bureau.opened()
    assert str(notice["To"].addresses[0].addr_spec) == "admin@other-domain.example"
    assert "MB-" not in body(notice)


def test_several_tickets_come_as_one_digest(bureau: Bureau) -> None:
    """One mail a morning lists them all with their dates and the root of the audit chain."""
    for number in range(3):
        text = f"Hei,\n\npyydän, että poistatte kaikki tietoni.\n\nHenkilö {number}\n"
        bureau.round(written(f"p{number}@customer.example", "Pyyntö", text, to=bureau.contact))
    mails = morning(bureau, date(2026, 11, 13))
    digests = [mail for mail in mails if "Data protection requests" in str(mail["Subject"])]
    assert len(digests) == 1
    text = body(digests[0])
    assert all(ticket.reference in text for ticket in bureau.tickets())
    assert "Checksum of the audit chain" in text


def test_what_must_be_obeyed_at_once_stands_first(bureau: Bureau) -> None:
    """A marketing stop has its own day, before anything else in the notice, and its own reminder the day after."""
    notice = bureau.opened(STOP)
    text = body(notice)
    assert "AT ONCE" in text[:60]
    assert "4 November 2026" in text[:90]
    (reminder,) = morning(bureau, date(2026, 11, 4))
    assert re.search(r"To be done by .*4 November 2026", body(reminder))


def test_the_last_safe_day_to_extend_is_named(bureau: Bureau) -> None:
    """On the working day before the month ends, staff are told that an extension must be announced now."""
    bureau.opened()
    morning(bureau, date(2026, 11, 30))
    text = " ".join(body(mail) for mail in morning(bureau, date(2026, 12, 2)))
    assert re.search(r"The notice has to go out by .{0,4}3 December 2026", " ".join(text.split()))


# ------------------------------------------------------------------------------------------------ the calendar


def test_the_first_notice_carries_the_due_date_for_the_calendar(bureau: Bureau) -> None:
    """All day, named by the reference, without a word about the person; later mails do not repeat it."""
    found = entry(bureau.opened())
    assert found is not None
    (event,) = found.walk("VEVENT")
    assert event.decoded("dtstart") == date(2026, 12, 3)
    assert event["sequence"] == 0
    assert event["uid"] == f"{bureau.ticket().reference}@example.com"
    assert "maija" not in found.to_ical().decode().lower()
    assert entry(morning(bureau, date(2026, 11, 13))[0]) is None


def test_a_date_that_moves_moves_in_the_calendar(bureau: Bureau) -> None:
    """The same entry comes again with a higher sequence and the new day."""
    bureau.opened()
    office = replace(bureau.house.office, calendar=WorkingDays("FI", extra=[date(2026, 12, 3)]))
    redate(office, now=bureau.now)
    (notice,) = bureau.deliver()
    found = entry(notice)
    assert found is not None
    (event,) = found.walk("VEVENT")
    assert (event.decoded("dtstart"), event["sequence"]) == (date(2026, 12, 4), 1)


def test_an_answered_ticket_leaves_the_calendar(bureau: Bureau) -> None:
    """The mail that says what was sent takes the entry out again."""
    bureau.answered()
    delivered = bureau.to(ANNA.email)[-1]
    found = entry(delivered)
    assert found is not None
    (event,) = found.walk("VEVENT")
    assert (str(found["method"]), str(event["status"])) == ("CANCEL", "CANCELLED")


def test_without_the_extra_there_is_no_file(bureau: Bureau) -> None:
    """Where the calendar package is not installed everything else works as before."""
    plain: Office = replace(bureau.house.office, due_entry=None)
    bureau.house.__dict__["office"] = plain
    assert entry(bureau.opened()) is None


@pytest.mark.parametrize("person", [Person(name="Anna", email="anna@example.com", language="fi")])
def test_reminders_speak_the_language_of_the_person(bureau_of: Callable[..., Bureau], person: Person) -> None:
    """A Finnish reader is reminded in Finnish of a request in any language."""
    bureau = bureau_of(staff=(person,))
    mail = written(MAIJA, "Request", "Please delete all my personal data.\n\nMaija\n", to=bureau.contact)
    bureau.round(mail)
    morning(bureau, date(2026, 11, 10))
    (reminder,) = morning(bureau, date(2026, 11, 13))
    assert "muistutus" in str(reminder["Subject"]).lower()
