"""Kills mailbot at random, hundreds of times, and shows that nothing is lost and nothing happens twice.

`python -m tests.crash.run --kills 500 [--seed N] [--postgres]` prints its figures and ends with 0 only if all held.
Mail arrives, staff approve by mail, replies and reminders go out; meanwhile poll, deliver and remind are killed with
SIGKILL at random moments and at random calls. Dovecot, the SMTP server, SQLite or PostgreSQL are real.
"""

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":  # run as a program, not collected by pytest
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from servers.dovecot import Dovecot
from servers.postgres import Postgres
from servers.smtp_sink import SmtpSink
from story.desk import STAFF, mail

from crash import checks
from crash.workshop import Forge, Workshop
from mailbot.store.database import Database

REQUEST = "Hei,\n\npoistakaa kaikki minua koskevat henkilötiedot rekisteristänne.\n\nTerveisin\n{name}\n"
OTHER = "Hei,\n\nlasku {number} on liitteenä. Eräpäivä on kahden viikon päästä.\n\nTerveisin\nTuomas\n"
DAYS_OF_REMINDERS = 16
LATER_S = 10 * 3600  # the clean round at the end runs when every pause is over


@dataclass(kw_only=True)
class Figures:
    """What a run did."""

    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    through: int = 0  # commands that ended before their kill
    requests: int = 0
    others: int = 0
    approved: int = 0
    repeats: int = 0
    reminders: int = 0
    entries: int = 0
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """For people."""
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return [
            f"seed {self.seed}: {sum(self.kills.values())} kills ({kinds}) in {self.seconds:.0f} s, "
            f"{self.through} commands were through before theirs",
            f"{self.requests} requests: one ticket each; {self.others} other mails: no ticket",
            f"{self.approved} replies approved by mail: each delivered under one Message-ID, "
            f"{self.repeats} deliveries repeated with the same bytes",
            f"{self.reminders} reminder mails: none doubled; audit chain of {self.entries} entries: whole",
        ]


@dataclass(kw_only=True)
class Story:
    """What happens around the commands that are killed."""

    shop: Workshop
    figures: Figures
    requesters: list[str] = field(default_factory=list)
    approved: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)  # Message-IDs of notices that staff have answered
    day: int = 0

    def something_arrives(self) -> None:
        """A request, or something that is none."""
        if self.shop.chance.random() < 0.6:
            self.request_arrives()
        else:
            self.figures.others += 1
            text = OTHER.format(number=self.figures.others)
            self.shop.desk.arrive(mail("Tuomas <tuomas@supplier.example>", f"Lasku {self.figures.others}", text))

    def request_arrives(self) -> None:
        """One more request, from an address of its own."""
        self.figures.requests += 1
        number = self.figures.requests
        address = f"requester{number}@example.org"
        text = REQUEST.format(name=f"Ritva {number}")
        raw = mail(f"Ritva {number} <{address}>", "Tietojeni poistaminen", text, message_id=f"<{number}@example.org>")
        self.shop.desk.arrive(raw)
        self.requesters.append(address)

    def staff_answer(self, *, at_most: int = 2) -> None:
        """Staff approve by replying to notices that have reached them; about a third stay unanswered."""
        waiting = [found for found in checks.bodies(self.shop.desk.smtp, STAFF) if self._can_be_approved(found)]
        for notice in waiting[:at_most]:
            name = str(notice["Message-ID"])
            self.answered.add(name)
            about = next(line for line in str(notice["Subject"]).split() if line.startswith("JALO-")).strip(":,")
            if int(about.rpartition("-")[2]) % 3 == 0:
                continue
            raw = mail(f"Anna <{STAFF}>", f"Re: {about}", "Hyväksyn.\n", in_reply_to=name, message_id=f"<re.{name[1:]}")
            self.shop.desk.arrive(raw)
            self.approved.append(about)

    def _can_be_approved(self, found: object) -> bool:
        kind = str(found["X-Mailbot-Origin"]).split()[1]  # type: ignore[index]
        return kind == "notice" and str(found["Message-ID"]) not in self.answered  # type: ignore[index]

    def remind(self) -> tuple[str, ...]:
        """The command, on the simulated day."""
        moment = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0) + timedelta(days=5 + self.day)
        return ("remind", "--once", "--now", moment.isoformat())


def one_kill(story: Story) -> None:
    """Something arrives, something is killed; sometimes a command comes through."""
    shop, chance = story.shop, story.shop.chance
    if chance.random() < 0.5:
        story.something_arrives()
    if chance.random() < 0.3:
        story.staff_answer()
    name = chance.choices(("poll", "deliver", "remind"), (5, 4, 2))[0]
    command = {"poll": ("poll", "--once"), "deliver": ("deliver", "--once"), "remind": story.remind()}[name]
    if shop.kill_somewhere(*command):
        story.figures.kills[name] = story.figures.kills.get(name, 0) + 1
    else:
        story.figures.through += 1
    if chance.random() < (0.4 if name == "remind" else 0.15):
        shop.must(*command)
        story.day = min(story.day + 1, DAYS_OF_REMINDERS) if name == "remind" else story.day


def clean_end(story: Story) -> None:
    """What any later round does: nobody is killed any more, and every pause is over."""
    for _ in range(2):  # staff answer the last notices in the first
        story.shop.must("poll", "--once")
        story.shop.must(*story.remind())
        story.shop.must("deliver", "--once", ahead_s=LATER_S)
        story.staff_answer(at_most=1000)


def verify(story: Story, url: str) -> None:
    """Everything that must hold; AssertionError names what does not."""
    database, sink, figures = Database(url), story.shop.desk.smtp, story.figures
    with database.read() as connection:
        references = {t.reference: t.requester_address for t in checks.tickets.find(connection)}
        approved = [references[name] for name in story.approved]
        checks.one_ticket_for_each(connection, story.requesters)
        checks.left_alone_once(connection, figures.others)
        figures.repeats = checks.one_message_id_for_each(connection, sink, approved)
        checks.each_approval_once(connection, approved)
        checks.noticed_once(connection)
        figures.reminders = checks.no_reminder_doubled(connection)
        checks.lists_disjoint(sink, STAFF)
        figures.entries = checks.chain_whole(connection)
    checks.file_sound(database)
    database.close()
    assert not any(story.shop.desk.imap.flags(user=story.shop.desk.contact).values()), "a flag was set in the mailbox"
    figures.approved = len(approved)


def torture(
    kills: int, seed: int, *, folder: Path, imap: Dovecot, smtp: SmtpSink, forge: Forge, url: str = ""
) -> Figures:
    """Kills until that many commands have died, then lets all end and verifies."""
    started = time.monotonic()
    figures = Figures(seed=seed)
    story = Story(shop=Workshop.make(folder, imap, smtp, forge, seed, url), figures=figures)
    for command in (("poll", "--once"), ("deliver", "--once"), story.remind()):
        story.request_arrives()  # something to do, so that a whole run is learned
        story.shop.learn(*command)
    while sum(figures.kills.values()) < kills:
        one_kill(story)
    clean_end(story)
    verify(story, url or f"sqlite:///{folder / 'var' / 'test.db'}")
    figures.seconds = time.monotonic() - started
    return figures


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(Postgres()).database() if given.postgres else ""
        forge = stack.enter_context(Forge(folder=folder))
        imap, smtp = stack.enter_context(Dovecot()), stack.enter_context(SmtpSink())
        print(f"seed {given.seed}", flush=True)
        figures = torture(given.kills, given.seed, folder=folder, imap=imap, smtp=smtp, forge=forge, url=url)
    print("\n".join(figures.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
