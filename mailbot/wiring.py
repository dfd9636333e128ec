"""Builds the real things from a configuration: the only place that knows both flows and gateways.

Everything is made when it is first asked for: a command that only lists tickets reads no rules, the poller never
resolves the secret of SMTP, and the sender never that of IMAP.
"""

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from mailbot.config import Config, OAuth, Server, Staff
from mailbot.core.controller import Controller
from mailbot.core.life import Life
from mailbot.core.staff import Role, StaffMember
from mailbot.flows.duties import POLLED, REMINDED, STUCK, Plan
from mailbot.flows.mailbox import Folders
from mailbot.flows.office import Office, Options, Texts
from mailbot.gateway.calendar_file import due_ics
from mailbot.gateway.credentials import Secret, load_key, resolve
from mailbot.gateway.deadline_rules import shipped_rules
from mailbot.gateway.dkim_check import signs_for_sender
from mailbot.gateway.imap import Account, ImapMailbox
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.working_days import WorkingDays
from mailbot.store.database import Database

AN_HOUR = timedelta(hours=1)
A_YEAR = timedelta(days=365)
STILL = {STUCK: AN_HOUR, REMINDED: timedelta(days=3)}  # nobody is reminded from Friday afternoon to Monday morning

if TYPE_CHECKING:  # each is loaded when it is first asked for: together they are most of a start
    from mailbot.core.classify import Verdict
    from mailbot.core.command_values import Commands
    from mailbot.core.message import Message
    from mailbot.gateway.oauth import Grant, TokenSource
    from mailbot.gateway.smtp import SmtpTransport
    from mailbot.gateway.templates import Renderer
    from mailbot.reading import CommandReader, Reader


class LaterReader:
    """The reader of messages, loaded with the first of them."""

    def __init__(self, make: "Callable[[], Reader]") -> None:
        self._make = make
        self._made: Reader | None = None

    def _reader(self) -> "Reader":
        self._made = self._made or self._make()
        return self._made

    @property
    def version(self) -> str:
        """The version of the rules, once they were needed; "" before."""
        return self._made.version if self._made else ""

    def warm(self) -> None:
        """Loads patterns and rules now. Raises ConfigurationError when they are wrong."""
        self._reader().warm()

    def warm_in(self, language: str) -> None:
        """The same, and the rules of a language."""
        self._reader().warm_in(language)

    def read(self, raw: bytes) -> "Message":
        """Bytes to a message; never raises."""
        return self._reader().read(raw)

    def judge(self, message: "Message") -> "Verdict":
        """A message to a verdict; never raises."""
        return self._reader().judge(message)


class House:
    """One controller, wired from its configuration."""

    def __init__(self, config: Config, now: Callable[[], datetime]) -> None:
        self.config = config
        self._now = now  # only the command line and the daemon know a clock
        self._tokens: dict[str, TokenSource] = {}  # where -> who gives the access tokens

    @cached_property
    def controller(self) -> Controller:
        """The organisation; ConfigurationError with every problem of its profile."""
        named = self.config.profile
        local = self.config.resolve(named)
        return load_profile(str(local) if local.is_file() else named, shipped("rules"))

    @cached_property
    def database(self) -> Database:
        """The memory, with its tables made or checked."""
        found = Database(self.config.database_url())
        found.prepare()
        return found

    @cached_property
    def texts(self) -> "Renderer":
        """All texts, the controller's own before the shipped ones; jinja2 is loaded only here."""
        own = self.config.rules.templates
        folders = [*([self.config.resolve(own)] if own else []), shipped("templates")]
        made: Renderer = importlib.import_module("mailbot.gateway.templates").Renderer(folders)
        return made

    @cached_property
    def office(self) -> Office:
        """What flows work with."""
        rules = shipped_rules()
        chosen = self.config.calendar
        eves = rules.policy.eves_as_holidays if chosen.eves_as_holidays is None else chosen.eves_as_holidays
        return Office(
            database=self.database,
            controller=self.controller,
            staff=tuple(_member(person) for person in self.config.staff),
            sender=self.config.smtp.sender,
            own_addresses=self.config.own_addresses(),
            texts=cast(Texts, _Later(lambda: self.texts)),
            calendar=WorkingDays(self.controller.country, eves, chosen.extra_days_off, rules),
            policy=rules.policy,
            key=load_key(self.config.key_path()),
            signed_by_sender=signs_for_sender if self.config.authenticity.verify_dkim_ourselves else None,
            options=_options(self.config),
            due_entry=due_ics if find_spec("icalendar") else None,
        )

    @cached_property
    def reader(self) -> LaterReader:
        """Reads and judges mail."""
        return LaterReader(self._reader)

    def _reader(self) -> "Reader":
        own = self.config.rules.overrides
        made: Reader = importlib.import_module("mailbot.reading").Reader(
            self.config.resolve(own) if own else None,
            self.controller.language,
            second=self.config.rules.second_reader,
        )
        return made

    @cached_property
    def _commands(self) -> "CommandReader":
        made: CommandReader = importlib.import_module("mailbot.reading").CommandReader()
        return made

    def commands(self, visible_text: str, attachments: Sequence[str], /) -> "Commands":
        """What a reply of staff would do."""
        return self._commands(visible_text, attachments)

    def warm(self) -> None:
        """Loads what the first message would need, which otherwise takes a second of its time.

        Raises ConfigurationError when rules or templates are wrong.
        """
        importlib.import_module("mailbot.flows.take")
        self.reader.warm_in(self.controller.language)
        self.texts.words(self.controller.language)

    def mailbox(self) -> ImapMailbox:
        """A mailbox that is not yet connected."""
        imap = self.config.imap
        return ImapMailbox(
            Account(
                host=imap.host,
                port=imap.port,
                security=imap.security,
                username=imap.username,
                secret=None if imap.oauth else self._secret("imap.password", imap),
                token=self._token("imap.oauth", imap),
                timeout_s=imap.timeout_s,
                ca_file=self.config.resolve(imap.ca_file) if imap.ca_file else None,
                message_bytes=self.config.limits.message_mb * 1024 * 1024,
            )
        )

    def transport(self) -> "SmtpTransport":
        """A connection to the mail server that is made when the first mail is sent."""
        smtp = self.config.smtp
        wanted = smtp.username is not None
        module = importlib.import_module("mailbot.gateway.smtp")
        made: SmtpTransport = module.SmtpTransport(
            module.Relay(
                host=smtp.host,
                port=smtp.port,
                security=smtp.security,
                username=smtp.username,
                secret=self._secret("smtp.password", smtp) if wanted and not smtp.oauth else None,
                token=self._token("smtp.oauth", smtp),
                timeout_s=smtp.timeout_s,
                ca_file=self.config.resolve(smtp.ca_file) if smtp.ca_file else None,
            )
        )
        return made

    def folders(self) -> Folders:
        """Which folders are read, and how."""
        imap = self.config.imap
        return Folders(
            names=None if imap.folders == "all" else tuple(imap.folders),
            exclude=tuple(imap.exclude),
            sent=tuple(imap.sent_folders),
            start=imap.start,
            keyword=imap.keyword,
            copy_to=imap.copy_to,
            move_to=imap.move_to,
            delete_canaries=self.config.canary.enabled and self.config.canary.clean_up == "delete",
        )

    def canary_plan(self) -> Plan:
        """When a test mail is sent, and how long each duty may be still before people hear of it."""
        canary = self.config.canary
        return Plan(
            enabled=canary.enabled,
            address=canary.address,
            interval=timedelta(hours=canary.interval_hours),
            wait=timedelta(minutes=canary.wait_minutes),
            limits={POLLED: max(AN_HOUR, 10 * timedelta(seconds=self.config.imap.interval_s)), **STILL},
            watched=tuple(_noted_at_connections(self.config)),
            known=tuple(_secret_lives(self.config)),
        )

    def lives(self, connection: "ImapMailbox | SmtpTransport") -> tuple[Life, ...]:
        """What ends by itself of that connection: certificates, and the sign-in where the server says its end."""
        side = "imap" if isinstance(connection, ImapMailbox) else "smtp"
        tokens = self._tokens.get(f"{side}.oauth")
        return (*connection.lives(), *(tokens.lives() if tokens else ()))

    def shout(self, subject: str, text: str) -> None:
        """Tells the alarm command, where there is one. Raises ServiceUnavailableError when it fails."""
        if self.config.alarm is not None and self.config.alarm.command:
            importlib.import_module("mailbot.gateway.alarm_command").shout(self.config.alarm.command, subject, text)

    def _secret(self, where: str, server: Server) -> Callable[[], Secret]:
        base = self.config.path.parent
        return lambda: resolve(where, server.secrets(), base, os.environ)

    def _token(self, where: str, server: Server) -> Callable[[], Secret] | None:
        if server.oauth is None:
            return None
        made: TokenSource = importlib.import_module("mailbot.gateway.oauth").TokenSource(
            grant_of(where, server.oauth, self.config)
        )
        source = self._tokens[where] = made
        return lambda: source.access_token(self._now())


class _Later:
    """Something that is made when it is first used: most polls find nothing new and write no text."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> object:
        found = getattr(self._make(), name)
        setattr(self, name, found)
        return found


def _noted_at_connections(config: Config) -> Iterator[str]:
    """Names of what this configuration's connections rest on; what it no longer uses is not watched."""
    for side, server in (("imap", config.imap), ("smtp", config.smtp)):
        if server.security != "none":
            yield f"{side}.certificate"
            if server.ca_file:
                yield f"{side}.authority"
        if server.oauth is not None:
            yield f"{side}.token"


def _secret_lives(config: Config) -> Iterator[Life]:
    """Secrets whose last day the configuration names; they hold until that day is over."""
    for side, server in (("imap", config.imap), ("smtp", config.smtp)):
        if server.secret_ends_on is not None:
            ends_at = datetime.combine(server.secret_ends_on + timedelta(days=1), time(), UTC)
            yield Life(name=f"{side}.secret", begins_at=ends_at - A_YEAR, ends_at=ends_at)


def grant_of(where: str, oauth: OAuth, config: Config) -> "Grant":
    """How access tokens are got, with paths made absolute and the application's secret named, not read."""
    given = {
        "file": oauth.client_secret_file,
        "env": oauth.client_secret_env,
        "credential": oauth.client_secret_credential,
    }
    sources = {kind: value for kind, value in given.items() if value}
    base = config.path.parent
    made: Grant = importlib.import_module("mailbot.gateway.oauth").Grant(
        where=where,
        flow=oauth.flow,
        token_url=oauth.token_url,
        device_url=oauth.device_url,
        client_id=oauth.client_id,
        client_secret=(lambda: resolve(f"{where}.client_secret", sources, base, os.environ)) if sources else None,
        scope=oauth.scope,
        token_file=config.resolve(oauth.token_file) if oauth.token_file else None,
        token_command=tuple(oauth.token_command or ()),
    )
    return made


def _member(person: Staff) -> StaffMember:
    return StaffMember(
        name=person.name,
        address=person.email,
        roles=frozenset(Role(role) for role in person.roles),
        language=person.language,
        deputy=person.deputy or "",
        away=tuple((period.first, period.last) for period in person.away),
        active=person.active,
    )


def _options(config: Config) -> Options:
    return Options(
        staff_mail=config.authenticity.staff_mail,
        authserv_id=config.authenticity.authserv_id,
        trusted_received=tuple(config.authenticity.trusted_received),
        four_eyes=frozenset(config.authenticity.four_eyes),
        token_days=config.authenticity.token_days,
        days_before=tuple(config.reminders.days_before),
        escalate_after_days=config.reminders.escalate_after_days,
        digest_hour=config.reminders.hour,
        notices_per_hour=config.limits.notices_per_hour,
        staff_answers_per_hour=config.limits.staff_answers_per_hour,
        message_bytes=config.limits.message_mb * 1024 * 1024,
        closed_days=config.retention.closed_days,
        attachments_days=config.retention.attachments_days,
        dismissed_days=config.retention.dismissed_days,
        seen_days=config.retention.seen_days,
        alarm_address=(config.alarm.email or "") if config.alarm else "",
    )
