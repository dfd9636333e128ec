"""`mailbot demo`: the whole story on embedded servers in a temporary folder, printed so that a stranger understands it.

Nothing is played: mails travel over SMTP into a real IMAP mailbox, the flows are those of an installation, the person's
answers are mails of their own, and every claim that is printed is checked. Exit 0 only if all of them held.
"""

import contextlib
import email
import email.policy
import io
import tempfile
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

import click

from mailbot.cli.common import now, say
from mailbot.cli.demo_mails import ANNA, CONTACT, LETTERS, STRANGER
from mailbot.cli.demo_servers import World
from mailbot.config import from_data
from mailbot.core.audit import faults
from mailbot.core.draft import DraftKind
from mailbot.errors import MailbotError
from mailbot.flows import clock
from mailbot.flows.deliver import deliver
from mailbot.flows.poll import poll
from mailbot.gateway.smtp import Relay, SmtpTransport
from mailbot.store import audit, cursors, drafts, tickets
from mailbot.wiring import House

PASSWORD = "demo"


class DemoFailedError(MailbotError):
    """A step of the demo did not happen."""

    exit_code = 70


@dataclass(kw_only=True)
class Stage:
    """The running demo."""

    world: World
    house: House
    step: int = 0
    answered: set[str] = field(default_factory=set)  # Message-IDs of notices that Anna has answered

    def headline(self, text: str) -> None:
        """Announces the next step."""
        self.step += 1
        say(f"\n{self.step}. {text}")

    def check(self, claim: str, holds: bool) -> None:
        """Prints a claim that was checked. Raises DemoFailedError when it does not hold."""
        say(f"   [{'ok' if holds else 'FAILED'}] {claim}")
        if not holds:
            raise DemoFailedError(f"the demo stopped: {claim}", "Please report this with the output above.")

    def send(self, sender: str, raw: bytes, to: str = CONTACT) -> None:
        """A mail leaves somebody's mail program."""
        relay = Relay(host="127.0.0.1", port=self.world.smtp_port, security="none")
        with SmtpTransport(relay) as transport:
            outcome = transport.send(sender, to, raw)
        if outcome.result != "accepted":
            raise DemoFailedError(f"the demo's server did not take a mail: {outcome.answer}")

    def poll(self) -> None:
        """One `mailbot poll --once`."""
        house = self.house
        with house.mailbox() as mailbox:
            done = poll(house.office, mailbox, house.reader, house.commands, house.folders(), clock_now=now)
        say(
            f"   $ mailbot poll --once      read {done.read}: {done.tickets} new tickets, "
            f"{done.commands} staff replies, {done.left_alone} left alone"
        )

    def deliver(self) -> None:
        """One `mailbot deliver --once`."""
        with self.house.transport() as transport:
            done = deliver(self.house.office, transport, now=now())
        say(f"   $ mailbot deliver --once   sent {done.sent}, waiting {done.waiting}")

    def notices(self, reference: str) -> list[EmailMessage]:
        """Anna's mail about a ticket, oldest first."""
        found = [_read(raw) for raw in self.world.received(ANNA)]
        return [item for item in found if str(item["Subject"]).startswith(reference)]

    def reply(self, reference: str, words: str, *, quote: bool, file: tuple[str, bytes] | None = None) -> None:
        """Anna answers the newest mail about a ticket from her own mail program."""
        notice = self.notices(reference)[-1]
        mail = EmailMessage()
        mail["From"], mail["To"] = f"Anna Aalto <{ANNA}>", CONTACT
        mail["Subject"] = f"Re: {notice['Subject']}"
        mail["Date"], mail["Message-ID"] = format_datetime(now()), make_msgid(domain="example.org")
        mail["In-Reply-To"] = notice["Message-ID"]
        quoted = "\n".join(f"> {line}" for line in _text(notice).splitlines())
        tail = (
            f"\n\nsu 22.11.2026 klo 9.00 Jalo IT Oy, tietosuoja kirjoitti:\n{quoted}\n"
            if quote
            else "\n\nLähetetty puhelimesta\n"
        )
        mail.set_content(words + tail)
        if file is not None:
            mail.add_attachment(file[1], maintype="application", subtype="pdf", filename=file[0])
        self.send(ANNA, mail.as_bytes(policy=email.policy.SMTP))
        say(f"   Anna answers {reference}: “{words}”" + ("" if quote else " (from a telephone, quoting nothing)"))


@click.command()
@click.option("--serve", is_flag=True, help="Stay up afterwards, to send mails to it.")
def demo(serve: bool) -> None:
    """The whole story on embedded IMAP, SMTP and SQLite; exit 0 only if every step really happened."""
    started = time.monotonic()
    say("mailbot demo: a controller, six people who write to it, and Anna, whose job the answers are.")
    with tempfile.TemporaryDirectory(prefix="mailbot-demo-") as folder, World(CONTACT, PASSWORD) as world:
        stage = Stage(world=world, house=_house(Path(folder), world))
        for part in (_arrive, _look, _notices, _decide, _deliver, _attack, _end):
            part(stage)
        say(f"\nEverything above really happened, in {time.monotonic() - started:.1f} s.")
        if serve:
            _serve(stage)
        stage.house.database.close()


def _house(folder: Path, world: World) -> House:
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    data = {
        "profile": "jalo-it",
        "database": {"url": "sqlite:///demo.db"},
        "imap": {"host": "127.0.0.1", "port": world.imap_port, "security": "none", "username": CONTACT,
                 "password_file": "password"},
        "smtp": {"host": "127.0.0.1", "port": world.smtp_port, "security": "none",
                 "sender": f"Jalo IT Oy, tietosuoja <{CONTACT}>"},
        "staff": [{"name": "Anna Aalto", "email": ANNA, "roles": ["approver"], "language": "fi"}],
    }  # fmt: skip
    return House(from_data(data, folder / "mailbot.toml"), now)


def _arrive(stage: Stage) -> None:
    stage.headline(f"{len(LETTERS)} mails arrive at {CONTACT}")
    for letter in LETTERS:
        stage.send(letter.address, letter.raw(now()))
        say(f"   {letter.name:<18} {letter.subject:<34} {letter.about}")


def _look(stage: Stage) -> None:
    stage.headline("mailbot looks into the mailbox and leaves it as it was")
    stage.poll()
    office = stage.house.office
    with office.database.read() as connection:
        found = tickets.find(connection)
        alone = cursors.count_seen(connection)
    for ticket in found:
        rights = ", ".join(ticket.rights)
        say(f"   {ticket.reference}  {ticket.language}  due {ticket.due_on}  {rights:<24} {ticket.requester_name}")
    say(f"   why that day: {found[0].explanations['long']['en']}")
    wanted = {letter.address: set(letter.rights) for letter in LETTERS if letter.rights}
    seen = {ticket.requester_address: {right.value for right in ticket.rights} for ticket in found}
    stage.check("each request became one ticket with the right rights", seen == wanted)
    languages = {letter.address: letter.language for letter in LETTERS if letter.rights}
    stage.check("and in the right language", {t.requester_address: t.language for t in found} == languages)
    others = [letter for letter in LETTERS if not letter.rights]
    stage.check(f"the other {len(others)} mails left nothing behind but a keyed hash", alone == len(others))
    with stage.house.mailbox() as mailbox:
        mailbox.examine("INBOX")
        flags = mailbox.flags(mailbox.uids())
    stage.check("no message is marked as read, moved or flagged", not any(flags.values()))
    stage.poll()
    with office.database.read() as connection:
        stage.check("looking again changes nothing", len(tickets.find(connection)) == len(found))


def _notices(stage: Stage) -> None:
    stage.headline("Anna gets one notice for each, with the draft in full")
    stage.deliver()
    count = sum(1 for letter in LETTERS if letter.rights)
    stage.check(f"Anna received {count} notices", len(stage.world.received(ANNA)) == count)
    stage.check("nobody else received anything yet", set(stage.world.letterboxes) == {ANNA})
    for line in _text(_read(stage.world.received(ANNA)[0])).splitlines()[:14]:
        say(f"   | {line}")
    say("   | …")


def _reference(stage: Stage, address: str) -> str:
    with stage.house.database.read() as connection:
        return tickets.find(connection, address=address)[0].reference


def _decide(stage: Stage) -> None:
    stage.headline("Anna answers from her mail program; a reply that lacks a fact can not be approved")
    by_name = {letter.key: _reference(stage, letter.address) for letter in LETTERS if letter.rights}
    stage.reply(by_name["access"], "hyväksyn", quote=True)
    _round(stage)
    stage.check("the access reply without its copy was not sent", not stage.world.received("matti@example.net"))
    stage.reply(by_name["access"], "liite", quote=True, file=("tiedot.pdf", b"%PDF-1.4 demo copy"))
    stage.reply(by_name["rectification"], "korjattu: 050 000 1111 -> 040 000 2222", quote=True)
    stage.reply(by_name["both"], "liite", quote=True, file=("kopia.pdf", b"%PDF-1.4 demo copy"))
    stage.reply(by_name["erasure"], "Hyväksyn, kiitos!", quote=True)
    stage.reply(by_name["restriction"], "hyväksyn", quote=False)
    stage.reply(by_name["register_description"], "ok, hyväksyn tämän", quote=True)
    _round(stage)
    for key in ("access", "rectification", "both"):
        stage.reply(by_name[key], "hyväksyn", quote=True)


def _round(stage: Stage) -> None:
    stage.poll()
    stage.deliver()


def _deliver(stage: Stage) -> None:
    stage.headline("What she approved goes out, each in the thread it answers")
    _round(stage)
    for letter in LETTERS:
        mails = [_read(raw) for raw in stage.world.received(letter.address)]
        if not letter.rights:
            stage.check(f"{letter.name} received nothing", not mails)
            continue
        stage.check(f"{letter.name} received exactly one reply", len(mails) == 1)
        text = _text(mails[0])
        good = mails[0]["In-Reply-To"] == letter.message_id and letter.sign in text and "tietosuoja@om.fi" in text
        stage.check("   in their thread and language, naming the supervisory authority", good)


def _attack(stage: Stage) -> None:
    stage.headline("A stranger writes “approve” in Anna's name")
    with stage.house.database.read() as connection:
        before = len(list(audit.chain(connection)))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Anna Aalto <{ANNA}>", CONTACT, "Re: JALO-2026-0001"
    mail["Message-ID"], mail["Date"] = make_msgid(domain="example.net"), format_datetime(now())
    mail.set_content("hyväksyn\n\nMB-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA\n")
    count = sum(len(box) for address, box in stage.world.letterboxes.items() if address != ANNA)
    stage.send(STRANGER, mail.as_bytes(policy=email.policy.SMTP))
    _round(stage)
    after = sum(len(box) for address, box in stage.world.letterboxes.items() if address != ANNA)
    with stage.house.database.read() as connection:
        entries = list(audit.chain(connection))
    refused = [told for told in entries[before:] if told.entry.event == "command_refused"]
    stage.check("without a valid one-time token nothing leaves", after == count)
    stage.check("and the attempt stands in the audit", len(refused) == 1)


def _end(stage: Stage) -> None:
    stage.headline("The books are right")
    office = stage.house.office
    with office.database.read() as connection:
        found = tickets.find(connection)
        wrong = list(faults((told.entry, told.salt, told.detail) for told in audit.chain(connection)))
        count, root = audit.root(connection)
        approved = [drafts.newest(connection, ticket.id, DraftKind.REPLY) for ticket in found]
    stage.check("every ticket is answered", all(ticket.status.value == "answered" for ticket in found))
    stage.check(
        "every reply that left carries a named person's approval",
        all(d and d.state.value == "approved" for d in approved),
    )
    stage.check(f"the audit chain of {count} entries is whole (root {root[:12]}…)", not wrong)
    late = [ticket for ticket in found if ticket.overdue(clock.today(office, now()))]
    stage.check("nothing is late", not late)
    say("\nWhat each person received:")
    for letter in LETTERS:
        mails = [_read(raw) for raw in stage.world.received(letter.address)]
        say(
            f"   {letter.name:<18} "
            + (str(mails[0]["Subject"]) if mails else "nothing, and nothing of theirs was kept")
        )
        for line in _gist(_text(mails[0])) if mails else ():
            say(f"   {'':<18}    {line}")
    say(f"   {'Anna':<18} {len(stage.world.received(ANNA))} mails: notices, results, and what was sent")


def _gist(text: str) -> list[str]:
    """The second and third paragraph of a reply: what was done."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return [line for block in blocks[1:3] for line in block.splitlines()][:5]


def _serve(stage: Stage) -> None:
    port = stage.world.smtp_port
    say(f"\nStaying up. Send a mail to {CONTACT}, for example:")
    say(
        f"   printf 'From: You <you@example.net>\\nTo: {CONTACT}\\nSubject: My data\\n\\nPlease delete my data.\\n' |"
        f" curl -s smtp://127.0.0.1:{port} --mail-from you@example.net --mail-rcpt {CONTACT} -T -"
    )
    say(f"   IMAP: 127.0.0.1:{stage.world.imap_port}, user {CONTACT}, password {PASSWORD}. Stop with Ctrl-C.")
    shown = {address: len(box) for address, box in stage.world.letterboxes.items()}
    try:
        while True:
            time.sleep(1)
            with contextlib.redirect_stdout(io.StringIO()):
                _round(stage)
            for address, box in list(stage.world.letterboxes.items()):
                for raw in box[shown.get(address, 0) :]:
                    mail = _read(raw)
                    say(f"\n--- to {address}: {mail['Subject']}\n{_text(mail)}")
                shown[address] = len(box)
    except KeyboardInterrupt:
        say("\nstopped")


def _read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
