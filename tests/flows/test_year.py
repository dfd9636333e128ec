"""A year in the life of a bureau, day by day, against a slow reading of what should have been said.

Mails arrive at random, staff are slow, some requests are extended or wait for an answer, the machine is off for two
weeks, a holiday is decreed. The oracle below knows nothing of keys and tables: it keeps, for each ticket, the days on
which it was spoken of, and looks every working morning whether a planned day lies behind the last one.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

import pytest
from bureau import Bureau, body, written

from mailbot.core.draft import DraftKind
from mailbot.core.ticket import RUNNING, Status
from mailbot.flows import clock, decide
from mailbot.flows.redate import redate
from mailbot.flows.remind import remind
from mailbot.gateway.working_days import WorkingDays
from mailbot.store import audit, drafts, outbox
from mailbot.store.tickets import Ticket

FIRST = date(2026, 1, 5)
DAYS = 365
REQUESTS = 24
OFF = (date(2026, 7, 6), date(2026, 7, 19))  # both days included
DECREED, DECREED_ON = date(2026, 10, 9), date(2026, 9, 28)
ONE_DAY = timedelta(days=1)
ERASE = "Hei,\n\npyydän, että poistatte kaikki minua koskevat henkilötiedot rekistereistänne.\n\nHenkilö {n}\n"


@dataclass
class Story:
    """What becomes of one request."""

    number: int
    comes_on: date
    answered_after: int  # days
    asked_after: int = 0  # days until an identity question, 0: none is asked
    replies_after: int = 0  # days until the person answers it, 0: never
    extended_after: int = 0  # days until the extension, 0: none

    @property
    def address(self) -> str:
        return f"person{self.number}@customer.example"


@dataclass
class Oracle:
    """What was said of each ticket, and what should be said today."""

    noticed_on: dict[str, date] = field(default_factory=dict)
    covered: dict[str, set[date]] = field(default_factory=dict)

    def planned(self, ticket: Ticket, last_extension: date | None, works: WorkingDays, today: date) -> set[date]:
        """Every day on which staff should hear of this ticket, by the rules in words."""
        days = {ticket.target_on} | {_back(ticket.target_on, n, works) for n in (14, 7, 3, 1)}
        days |= {last_extension} if last_extension else set()
        days = {day for day in days if day > self.noticed_on[ticket.reference] and day != ticket.due_on}
        late = {ticket.due_on} | {day for day in _days(ticket.due_on + ONE_DAY, today) if works.is_working_day(day)}
        return {day for day in days | late if day <= today}


def _back(day: date, count: int, works: WorkingDays) -> date:
    while count:
        day -= ONE_DAY
        count -= works.is_working_day(day)
    return day


def _days(first: date, last: date) -> Iterable[date]:
    return (first + n * ONE_DAY for n in range((last - first).days + 1))


def stories(chance: random.Random) -> list[Story]:
    """Requests spread over the year; a few of every kind."""
    made = []
    for number in range(REQUESTS):
        kind = number % 6
        made.append(
            Story(
                number=number,
                comes_on=FIRST + chance.randrange(DAYS - 20) * ONE_DAY,
                answered_after=chance.choice((1, 3, 10, 25, 33, 40)) + (60 if kind == 1 else 0),
                asked_after=2 if kind in (2, 3) else 0,
                replies_after=chance.randrange(4, 12) if kind == 2 else 0,
                extended_after=chance.randrange(5, 20) if kind == 1 else 0,
            )
        )
    made[0] = Story(number=0, comes_on=date(2026, 9, 9), answered_after=40)  # due on the day that is decreed
    return made


class Year:
    """One simulated year."""

    def __init__(self, bureau: Bureau) -> None:
        self.bureau = bureau
        self.works = WorkingDays("FI")
        self.oracle = Oracle()
        self.stories = stories(random.Random(18))
        self.missed: list[str] = []
        self.needless: list[str] = []
        self.doubled: list[str] = []
        self.mornings = 0
        self.unread = False  # mail lies in the mailbox that nobody has looked at

    def live(self, today: date) -> None:
        """One day: mails come, the machine looks if it is on, staff do what they do."""
        bureau = self.bureau
        for story in self.stories:
            if story.comes_on == today:
                self._arrives(story, today)
            if story.replies_after and story.comes_on + (story.asked_after + story.replies_after) * ONE_DAY == today:
                self._answers(story, today)
        if OFF[0] <= today <= OFF[1]:
            return
        if today == DECREED_ON:
            self._decree(today)
        self._morning(today)
        bureau.now = _at(today, 7)
        if self.unread:
            bureau.poll()
            self.unread = False
        self._note_notices(self._sent(), today)
        found = {ticket.requester_address: ticket for ticket in bureau.tickets()}
        for story in self.stories:
            if story.address in found and self.works.is_working_day(today):
                self._work(story, found[story.address], today)
        self._note_notices(self._sent(), today)

    def _sent(self) -> list[EmailMessage]:
        """What goes out now; the mail server is not troubled for nothing."""
        with self.bureau.house.office.database.read() as connection:
            waiting = outbox.waiting(connection)
        return self.bureau.deliver() if waiting else []

    def _arrives(self, story: Story, today: date) -> None:
        words, number = ERASE.format(n=story.number), f"<{story.number}@customer.example>"
        self.bureau.arrive(
            written(story.address, "Pyyntö", words, to=self.bureau.contact, message_id=number), at=_at(today, 6)
        )
        self.unread = True

    def _answers(self, story: Story, today: date) -> None:
        asked = self.bureau.to(story.address)
        if asked:
            words, question = "Tässä vahvistus.\n", str(asked[-1]["Message-ID"])
            raw = written(story.address, "Re: Pyyntö", words, to=self.bureau.contact, in_reply_to=question)
            self.bureau.arrive(raw, at=_at(today, 6))
            self.unread = True

    def _decree(self, today: date) -> None:
        self.works = WorkingDays("FI", extra=[DECREED])
        self.bureau.house.__dict__["office"] = replace(self.bureau.house.office, calendar=self.works)
        self.bureau.now = _at(today, 4)
        redate(self.bureau.house.office, now=self.bureau.now)
        self._note_notices(self._sent(), today)

    def _morning(self, today: date) -> None:
        """Compares what is said with what should be."""
        bureau, office = self.bureau, self.bureau.house.office
        expected = set()
        running = [ticket for ticket in bureau.tickets() if ticket.status in RUNNING]
        if self.works.is_working_day(today):
            self.mornings += 1
            for ticket in running:
                with office.database.read() as connection:
                    last_extension = clock.of_ticket(connection, office, ticket).last_safe_extension_on
                planned = self.oracle.planned(ticket, last_extension, self.works, today)
                if planned - self.oracle.covered.setdefault(ticket.reference, set()):
                    expected.add(ticket.reference)
                    self.oracle.covered[ticket.reference] |= planned
        bureau.now = _at(today, 6)
        done = remind(office, now=bureau.now, mornings_only=True)
        if done.reminded or done.escalated:  # a second round of the same morning adds nothing
            remind(office, now=bureau.now, mornings_only=True)
        said = [mail for mail in self._sent() if "nobody has answered" not in str(mail["Subject"])]
        told = {ticket.reference for ticket in running if any(_is_about(mail, ticket) for mail in said)}
        self.missed += [f"{today} {reference}" for reference in sorted(expected - told)]
        self.needless += [f"{today} {reference}" for reference in sorted(told - expected)]
        subjects = [str(mail["Subject"]) for mail in said]
        self.doubled += [f"{today} {subject}" for subject in set(subjects) if subjects.count(subject) > 1]

    def _note_notices(self, mails: list[EmailMessage], today: date) -> None:
        for mail in mails:
            found = re.match(r"(JALO-\d+-\d+): (?:the due date has changed|.* – answer by)", str(mail["Subject"]))
            if found:
                self.oracle.noticed_on[found[1]] = today

    def _work(self, story: Story, ticket: Ticket, today: date) -> None:
        """Staff do what is due to be done by them, as late as the story says; never on a day off."""
        age = (today - story.comes_on).days
        with self.bureau.house.office.database.write() as connection:
            office, who, now = self.bureau.house.office, self.bureau.actor(), self.bureau.now
            if ticket.status in RUNNING and age >= story.answered_after:
                self._approve(connection, ticket, DraftKind.REPLY)
            elif story.asked_after and age >= story.asked_after:
                story.asked_after, before = 0, story.asked_after
                story.replies_after += story.replies_after and age - before
                decide.ask(connection, office, ticket.reference, who, DraftKind.IDENTITY_QUESTION, now=now)
                self._approve(connection, ticket, DraftKind.IDENTITY_QUESTION)
            elif story.extended_after and age >= story.extended_after and today <= ticket.one_month_on:
                story.extended_after = 0
                decide.extend(connection, office, ticket.reference, who, now=now, reason="Aineisto on laaja.")
                self._approve(connection, ticket, DraftKind.EXTENSION_NOTICE)
            elif ticket.status is Status.ANSWERED and age >= story.answered_after + 7:
                decide.close(connection, ticket.reference, who, now=now)

    def _approve(self, connection: object, ticket: Ticket, kind: DraftKind) -> None:
        bureau = self.bureau
        (draft,) = drafts.pending(connection, ticket.id, kind)  # type: ignore[arg-type]
        decide.approve(
            connection, bureau.house.office, ticket.reference, bureau.actor(),  # type: ignore[arg-type]
            now=bureau.now, fingerprint_given=draft.fingerprint,
        )  # fmt: skip


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _is_about(mail: EmailMessage, ticket: Ticket) -> bool:
    """A reminder of this ticket, or a digest that tells of it outside its list of those who wait for the requester."""
    subject = str(mail["Subject"])
    if subject.startswith(ticket.reference):
        return True
    told = body(mail).split("WAITING FOR THE REQUESTER")[0]
    return "Data protection requests" in subject and ticket.reference in told


@pytest.mark.slow
def test_a_year_misses_nothing_doubles_nothing_and_leaves_nothing_behind(bureau: Bureau) -> None:
    """Every planned reminder is said on its morning or the first one after, once; every request ends."""
    year = Year(bureau)
    for today in _days(FIRST, FIRST + (DAYS + 100) * ONE_DAY):
        year.live(today)
    assert (year.missed, year.needless, year.doubled) == ([], [], [])
    found = bureau.tickets()
    assert len(found) == REQUESTS
    assert {ticket.status for ticket in found} == {Status.CLOSED}
    assert {len(bureau.to(story.address)) for story in year.stories} <= {1, 2}
    assert year.mornings > 250
    assert len(bureau.events("redated")) >= 1
    assert len(bureau.events("reminded")) > 50
    with bureau.house.office.database.read() as connection:
        count, _ = audit.root(connection)
    assert count == len(bureau.events())
