"""The tables of the configuration file: every key with its meaning, its shape and its default.

A key documents itself: `mailbot init` writes the sample from the descriptions below, so the documents can not lag. What
must hold between keys and tables is judged in `config_between.py`.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from urllib.parse import urlsplit

from mailbot.config_between import SECRETS, is_loopback
from mailbot.core.message import ADDRESS, our_address
from mailbot.core.shape import WRONG, Place, Problem, Told, day, flag, key, of, one_of, seconds, several, text, whole

Language = Literal["fi", "sv", "en"]


def _known_database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise ValueError('write "sqlite:///var/NAME.db" or "postgresql+psycopg://user@host/name"')
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _start(value: str) -> str:
    if value != "new" and not re.fullmatch(r"\d{1,4}d", value):
        try:
            date.fromisoformat(value)
        except ValueError:
            raise ValueError('write "35d", a date like "2026-10-01", or "new"') from None
    return value


def _folders(given: Any, place: Place, told: Told) -> Any:
    named = isinstance(given, list) and given and all(isinstance(name, str) and name for name in given)
    if given != "all" and not named:
        told.append(
            Problem(place=place, kind="value", text='name folders in a list, as ["INBOX", "Junk"], or write "all"')
        )
        return WRONG
    return given


def _sender(value: str) -> str:
    if not ADDRESS.fullmatch(our_address(value).address):
        raise ValueError('write it as "Organisation <privacy@example.com>"')
    return value


def _address(value: str) -> str:
    if not ADDRESS.fullmatch(value):
        raise ValueError("write an address like staff@example.com")
    return value


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where mailbot remembers."""

    url: str = key(
        '"sqlite:///var/NAME.db" (relative to this file) or "postgresql+psycopg://…"', text(check=_known_database)
    )
    key_file: str | None = key(
        "the secret key of hashes and of our own mails; outside the database; made on first use", text(), None
    )


@dataclass(frozen=True, kw_only=True)
class OAuth:
    """OAuth2 instead of a password (Microsoft 365, Google)."""

    flow: Literal["client_credentials", "device_code", "refresh_token", "token_command"] = key(
        "how an access token is got", one_of("client_credentials", "device_code", "refresh_token", "token_command")
    )
    token_url: str = key("the token endpoint (https; http only on loopback)", text(), "")
    device_url: str = key("the device authorisation endpoint, for device_code", text(), "")
    client_id: str = key("the application's id", text(), "")
    client_secret_file: str | None = key("file with the application's secret", text(), None)
    client_secret_env: str | None = key("environment variable with it", text(), None)
    client_secret_credential: str | None = key("systemd credential with it", text(), None)
    scope: str = key('for example "https://outlook.office365.com/.default"', text(), "")
    token_file: str | None = key("where the refreshed token is kept, mode 0600", text(), None)
    token_command: list[str] | None = key("a program that prints an access token", several(text()), None)


def _complete(found: OAuth) -> OAuth:
    if found.flow == "token_command":
        if not found.token_command:
            raise ValueError("token_command must name the program")
        return found
    if not found.token_url or not found.client_id:
        raise ValueError("token_url and client_id are needed for this flow")
    parts = urlsplit(found.token_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("token_url must start with https://")
    return found


@dataclass(frozen=True, kw_only=True)
class Server:
    """What IMAP and SMTP have in common."""

    host: str = key("name of the server", text())
    security: Literal["tls", "starttls", "none"] = key(
        "tls | starttls | none (none only on loopback)", one_of("tls", "starttls", "none"), "tls"
    )
    ca_file: str | None = key("certificates to trust instead of the system's", text(), None)
    timeout_s: float = key("connect and read timeout, seconds", seconds(600), 30.0)
    password_file: str | None = key("file with the password, or one of the next three", text(), None)
    password_env: str | None = key("environment variable with the password", text(), None)
    password_command: list[str] | None = key("a program that prints the password", several(text()), None)
    password_credential: str | None = key("name of a systemd credential (LoadCredential)", text(), None)
    secret_ends_on: date | None = key(
        "last day of the password or the application's secret, if it ends; told two weeks before", day, None
    )
    oauth: OAuth | None = key("a table of its own: OAuth2 instead of a password", of(OAuth, _complete), None)

    def secrets(self) -> dict[str, str | list[str]]:
        """The password sources that are set, by kind."""
        given = {name.removeprefix("password_"): getattr(self, name) for name in SECRETS}
        return {kind: value for kind, value in given.items() if value}


@dataclass(frozen=True, kw_only=True)
class Imap(Server):
    """The mailbox that is read; it stays as it was."""

    port: int = key("993 for tls, 143 for starttls", whole(1, 65535), 993)
    username: str = key("login name", text(some=True))
    folders: list[str] | Literal["all"] = key(
        'folders to read, or "all"; Junk and Archive count too: a request there has arrived', _folders, ["INBOX"]
    )
    exclude: list[str] = key('folders left out when folders = "all"', several(text()), [])
    sent_folders: list[str] = key("where the human's own answers lie, if the bot may look", several(text()), [])
    interval_s: int = key("seconds between two looks", whole(5, 86400), 60)
    start: str = key('first run: look back so far (live requests), or a date, or "new"', text(check=_start), "35d")
    idle: bool = key("let the server say that mail came (a hint on top of polling)", flag, True)
    keyword: str = key("after intake: set this keyword on messages that became tickets; empty: no flag", text(), "")
    copy_to: str = key("after intake: copy such messages to this folder; empty: no copy", text(), "")
    move_to: str = key("after intake: move such messages to this folder; empty: they stay", text(), "")


@dataclass(frozen=True, kw_only=True)
class Smtp(Server):
    """The server that takes outgoing mail."""

    port: int = key("465 for tls, 587 for starttls", whole(1, 65535), 465)
    username: str | None = key("login name; leave out where the server asks for none", text(), None)
    sender: str = key('"Organisation, tietosuoja <privacy@example.com>"', text(check=_sender))


@dataclass(frozen=True, kw_only=True)
class Away:
    """A period in which a person is away; both days included."""

    first: date = key("first day away", day)
    last: date = key("last day away", day)


def _ordered(found: Away) -> Away:
    if found.last < found.first:
        raise ValueError("last lies before first; swap them")
    return found


@dataclass(frozen=True, kw_only=True)
class Staff:
    """A person who drafts or approves replies."""

    name: str = key("the person's name, as the audit and colleagues see it", text())
    email: str = key("their own address; an address shared by several people names nobody", text(check=_address))
    roles: list[Literal["drafter", "approver"]] = key(
        "drafter | approver (may also draft)", several(one_of("drafter", "approver")), ["approver"]
    )
    language: Language = key("language of mail to them", one_of("fi", "sv", "en"), "fi")
    deputy: str | None = key("address of the staff member who hears of it after silence", text(), None)
    away: list[Away] = key("periods away: [{first = 2026-07-01, last = 2026-07-31}]", several(of(Away, _ordered)), [])
    active: bool = key("false once they have left: their mail no longer counts", flag, True)


@dataclass(frozen=True, kw_only=True)
class Reminders:
    """When staff are reminded."""

    days_before: list[int] = key("working days before the target date", several(whole(0, 90)), [14, 7, 3, 1])
    hour: int = key("local hour of the digest on working mornings", whole(0, 23), 7)
    escalate_after_days: int = key("working days of silence after which the deputy hears of it", whole(1, 60), 5)


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Days off beside the public holidays of the profile's country; after a change run: mailbot redate."""

    extra_days_off: list[date] = key("more days off, as a holiday decreed for one year", several(day), [])
    eves_as_holidays: bool | None = key(
        "Christmas Eve and Midsummer Eve are days off; left out: as rules/deadlines.toml says", flag, None
    )


@dataclass(frozen=True, kw_only=True)
class Authenticity:
    """What counts as proof of who sent a mail."""

    authserv_id: str | None = key("whose Authentication-Results count; none: none count", text(), None)
    staff_mail: Literal["token", "token+dmarc", "token+dkim"] = key(
        "token | token+dmarc | token+dkim", one_of("token", "token+dmarc", "token+dkim"), "token"
    )
    verify_dkim_ourselves: bool = key("check DKIM of staff mail ourselves (extra dkim)", flag, False)
    trusted_received: list[str] = key("hosts whose Received lines may date an arrival earlier", several(text()), [])
    four_eyes: list[Literal["refusals", "attachments"]] = key(
        'what a second person must approve: "refusals", "attachments"', several(one_of("refusals", "attachments")), []
    )
    token_days: int = key("days until a token expires", whole(1, 366), 60)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Where trouble is told; never the mailbox that may be dead."""

    email: str | None = key("an address outside the polled mailbox", text(), None)
    command: list[str] | None = key("or a program; the text comes on its standard input", several(text()), None)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long mailbot's own data are kept (GDPR 5(1)(e))."""

    closed_days: int = key(
        "days from closing a ticket to purging its content (proof, GDPR 5(2))", whole(30, 3660), 1096
    )
    attachments_days: int = key("days from the answer to purging attachments and identity proofs", whole(1, 3660), 90)
    dismissed_days: int = key("days a dismissed ticket can be reopened", whole(7, 90), 7)
    seen_days: int = key("days the hash of an unrelated message is remembered", whole(30, 3660), 400)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Caps; an approved reply is never held back by one."""

    message_mb: int = key("larger messages are read only in part", whole(1, 200), 25)
    notices_per_hour: int = key("new tickets an hour after which notices are merged", whole(1, 1000), 20)
    staff_answers_per_hour: int = key("answers to one staff address in an hour", whole(1, 1000), 30)


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A test mail that proves that the address still works."""

    enabled: bool = key("off until the clean-up is chosen", flag, False)
    address: str = key("the public address it is sent to", text(), "")
    interval_hours: int = key("hours between two", whole(1, 720), 24)
    wait_minutes: int = key("minutes until a missing one is an alarm", whole(5, 1440), 60)
    clean_up: Literal["leave", "delete"] = key(
        "what happens to its mail once it has arrived", one_of("leave", "delete"), "leave"
    )


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The controller's own rules beside the shipped ones."""

    overrides: str | None = key("folder with rules that are added or replaced", text(), None)
    templates: str | None = key("folder whose texts go before the shipped ones", text(), None)
    second_reader: bool = key("ask the linear model beside the rules", flag, True)
