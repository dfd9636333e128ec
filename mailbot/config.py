"""One TOML file a controller, read into frozen values, with every error at once: file, key and cure.

A field documents itself: `mailbot init` writes the sample from the descriptions below, so the documents can not lag.
Secrets are only named here (file, environment variable, command, systemd credential) and resolved on first use, so the
poller never needs SMTP's and the sender never IMAP's. Unknown keys are errors.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mailbot.config_between import SECRETS, is_loopback, own_addresses, problems_between
from mailbot.core.message import ADDRESS, our_address
from mailbot.errors import ConfigurationError

Language = Literal["fi", "sv", "en"]
Port = Annotated[int, Field(ge=1, le=65535)]


class Table(BaseModel):
    """A table of the configuration file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)


class Database(Table):
    """Where mailbot remembers."""

    url: str = Field(description='"sqlite:///var/NAME.db" (relative to this file) or "postgresql+psycopg://…"')
    key_file: str | None = Field(
        None, description="the secret key of hashes and of our own mails; outside the database; made on first use"
    )

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
            raise ValueError('write "sqlite:///var/NAME.db" or "postgresql+psycopg://user@host/name"')
        return value.replace("postgresql://", "postgresql+psycopg://", 1)


class OAuth(Table):
    """OAuth2 instead of a password (Microsoft 365, Google)."""

    flow: Literal["client_credentials", "device_code", "refresh_token", "token_command"] = Field(
        description="how an access token is got"
    )
    token_url: str = Field("", description="the token endpoint (https; http only on loopback)")
    device_url: str = Field("", description="the device authorisation endpoint, for device_code")
    client_id: str = Field("", description="the application's id")
    client_secret_file: str | None = Field(None, description="file with the application's secret")
    client_secret_env: str | None = Field(None, description="environment variable with it")
    client_secret_credential: str | None = Field(None, description="systemd credential with it")
    scope: str = Field("", description='for example "https://outlook.office365.com/.default"')
    token_file: str | None = Field(None, description="where the refreshed token is kept, mode 0600")
    token_command: list[str] | None = Field(None, description="a program that prints an access token")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.flow == "token_command":
            if not self.token_command:
                raise ValueError("token_command must name the program")
            return self
        if not self.token_url or not self.client_id:
            raise ValueError("token_url and client_id are needed for this flow")
        parts = urlsplit(self.token_url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ValueError("token_url must start with https://")
        return self


class Server(Table):
    """What IMAP and SMTP have in common."""

    host: str = Field(description="name of the server")
    security: Literal["tls", "starttls", "none"] = Field(
        "tls", description="tls | starttls | none (none only on loopback)"
    )
    ca_file: str | None = Field(None, description="certificates to trust instead of the system's")
    timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(30.0, description="connect and read timeout, seconds")
    password_file: str | None = Field(None, description="file with the password, or one of the next three")
    password_env: str | None = Field(None, description="environment variable with the password")
    password_command: list[str] | None = Field(None, description="a program that prints the password")
    password_credential: str | None = Field(None, description="name of a systemd credential (LoadCredential)")
    secret_ends_on: date | None = Field(
        None, description="last day of the password or the application's secret, if it ends; told two weeks before"
    )
    oauth: OAuth | None = Field(None, description="a table of its own: OAuth2 instead of a password")

    def secrets(self) -> dict[str, str | list[str]]:
        """The password sources that are set, by kind."""
        given = {name.removeprefix("password_"): getattr(self, name) for name in SECRETS}
        return {kind: value for kind, value in given.items() if value}


class Imap(Server):
    """The mailbox that is read; it stays as it was."""

    port: Port = Field(993, description="993 for tls, 143 for starttls")
    username: str = Field(min_length=1, description="login name")
    folders: list[str] | Literal["all"] = Field(
        ["INBOX"], description='folders to read, or "all"; Junk and Archive count too: a request there has arrived'
    )
    exclude: list[str] = Field([], description='folders left out when folders = "all"')
    sent_folders: list[str] = Field([], description="where the human's own answers lie, if the bot may look")
    interval_s: Annotated[int, Field(ge=5, le=86400)] = Field(60, description="seconds between two looks")
    start: str = Field("35d", description='first run: look back so far (live requests), or a date, or "new"')
    idle: bool = Field(True, description="let the server say that mail came (a hint on top of polling)")
    keyword: str = Field(
        "", description="after intake: set this keyword on messages that became tickets; empty: no flag"
    )
    copy_to: str = Field("", description="after intake: copy such messages to this folder; empty: no copy")
    move_to: str = Field("", description="after intake: move such messages to this folder; empty: they stay")

    @field_validator("start")
    @classmethod
    def _start(cls, value: str) -> str:
        if value != "new" and not re.fullmatch(r"\d{1,4}d", value):
            try:
                date.fromisoformat(value)
            except ValueError:
                raise ValueError('write "35d", a date like "2026-10-01", or "new"') from None
        return value

    @field_validator("folders", mode="before")
    @classmethod
    def _some(cls, value: object) -> object:
        named = isinstance(value, list) and value and all(isinstance(name, str) and name for name in value)
        if value != "all" and not named:
            raise ValueError('name folders in a list, as ["INBOX", "Junk"], or write "all"')
        return value


class Smtp(Server):
    """The server that takes outgoing mail."""

    port: Port = Field(465, description="465 for tls, 587 for starttls")
    username: str | None = Field(None, description="login name; leave out where the server asks for none")
    sender: str = Field(description='"Organisation, tietosuoja <privacy@example.com>"')

    @field_validator("sender")
    @classmethod
    def _address(cls, value: str) -> str:
        if not ADDRESS.fullmatch(our_address(value).address):
            raise ValueError('write it as "Organisation <privacy@example.com>"')
        return value


class Away(Table):
    """A period in which a person is away; both days included."""

    first: date = Field(description="first day away")
    last: date = Field(description="last day away")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("last lies before first; swap them")
        return self


class Staff(Table):
    """A person who drafts or approves replies."""

    name: str = Field(description="the person's name, as the audit and colleagues see it")
    email: str = Field(description="their own address; an address shared by several people names nobody")
    roles: list[Literal["drafter", "approver"]] = Field(["approver"], description="drafter | approver (may also draft)")
    language: Language = Field("fi", description="language of mail to them")
    deputy: str | None = Field(None, description="address of the staff member who hears of it after silence")
    away: list[Away] = Field([], description="periods away: [{first = 2026-07-01, last = 2026-07-31}]")
    active: bool = Field(True, description="false once they have left: their mail no longer counts")

    @field_validator("email")
    @classmethod
    def _address(cls, value: str) -> str:
        if not ADDRESS.fullmatch(value):
            raise ValueError("write an address like staff@example.com")
        return value


class Reminders(Table):
    """When staff are reminded."""

    days_before: list[Annotated[int, Field(ge=0, le=90)]] = Field(
        [14, 7, 3, 1], description="working days before the target date"
    )
    hour: Annotated[int, Field(ge=0, le=23)] = Field(7, description="local hour of the digest on working mornings")
    escalate_after_days: Annotated[int, Field(ge=1, le=60)] = Field(
        5, description="working days of silence after which the deputy hears of it"
    )


class Calendar(Table):
    """Days off beside the public holidays of the profile's country; after a change run: mailbot redate."""

    extra_days_off: list[date] = Field([], description="more days off, as a holiday decreed for one year")
    eves_as_holidays: bool | None = Field(
        None, description="Christmas Eve and Midsummer Eve are days off; left out: as rules/deadlines.toml says"
    )


class Authenticity(Table):
    """What counts as proof of who sent a mail."""

    authserv_id: str | None = Field(None, description="whose Authentication-Results count; none: none count")
    staff_mail: Literal["token", "token+dmarc", "token+dkim"] = Field(
        "token", description="token | token+dmarc | token+dkim"
    )
    verify_dkim_ourselves: bool = Field(False, description="check DKIM of staff mail ourselves (extra dkim)")
    trusted_received: list[str] = Field([], description="hosts whose Received lines may date an arrival earlier")
    four_eyes: list[Literal["refusals", "attachments"]] = Field(
        [], description='what a second person must approve: "refusals", "attachments"'
    )
    token_days: Annotated[int, Field(ge=1, le=366)] = Field(60, description="days until a token expires")


class Alarm(Table):
    """Where trouble is told; never the mailbox that may be dead."""

    email: str | None = Field(None, description="an address outside the polled mailbox")
    command: list[str] | None = Field(None, description="or a program; the text comes on its standard input")


class Retention(Table):
    """How long mailbot's own data are kept (GDPR 5(1)(e))."""

    closed_days: Annotated[int, Field(ge=30, le=3660)] = Field(
        1096, description="days from closing a ticket to purging its content (proof, GDPR 5(2))"
    )
    attachments_days: Annotated[int, Field(ge=1, le=3660)] = Field(
        90, description="days from the answer to purging attachments and identity proofs"
    )
    dismissed_days: Annotated[int, Field(ge=7, le=90)] = Field(7, description="days a dismissed ticket can be reopened")
    seen_days: Annotated[int, Field(ge=30, le=3660)] = Field(
        400, description="days the hash of an unrelated message is remembered"
    )


class Limits(Table):
    """Caps; an approved reply is never held back by one."""

    message_mb: Annotated[int, Field(ge=1, le=200)] = Field(25, description="larger messages are read only in part")
    notices_per_hour: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, description="new tickets an hour after which notices are merged"
    )
    staff_answers_per_hour: Annotated[int, Field(ge=1, le=1000)] = Field(
        30, description="answers to one staff address in an hour"
    )


class Canary(Table):
    """A test mail that proves that the address still works."""

    enabled: bool = Field(False, description="off until the clean-up is chosen")
    address: str = Field("", description="the public address it is sent to")
    interval_hours: Annotated[int, Field(ge=1, le=720)] = Field(24, description="hours between two")
    wait_minutes: Annotated[int, Field(ge=5, le=1440)] = Field(
        60, description="minutes until a missing one is an alarm"
    )
    clean_up: Literal["leave", "delete"] = Field("leave", description="what happens to its mail once it has arrived")


class Rules(Table):
    """The controller's own rules beside the shipped ones."""

    overrides: str | None = Field(None, description="folder with rules that are added or replaced")
    templates: str | None = Field(None, description="folder whose texts go before the shipped ones")
    second_reader: bool = Field(True, description="ask the linear model beside the rules")


class Config(Table):
    """The whole file. `path` is where it was read from; relative paths in it count from there."""

    path: Path = Field(Path("mailbot.toml"), exclude=True)
    profile: str = Field(description="rules/controllers/NAME.toml, or a path: the organisation and its registers")
    database: Database
    imap: Imap
    smtp: Smtp
    staff: list[Staff] = Field(min_length=1)
    reminders: Reminders = Reminders()
    calendar: Calendar = Calendar()
    authenticity: Authenticity = Authenticity()
    alarm: Alarm | None = None
    retention: Retention = Retention()
    limits: Limits = Limits()
    canary: Canary = Canary()
    rules: Rules = Rules()

    def own_addresses(self) -> frozenset[str]:
        """The addresses that are this mailbox: the login, if it is one, and the sender (lower case)."""
        return own_addresses(self.imap.username, self.smtp.sender)

    def resolve(self, value: str) -> Path:
        """A path of the file, relative to it."""
        return (self.path.parent / Path(value).expanduser()).resolve()

    def database_url(self) -> str:
        """The database address with a relative SQLite path made absolute."""
        if self.database.url.startswith("sqlite:///") and ":memory:" not in self.database.url:
            return f"sqlite:///{self.resolve(self.database.url.removeprefix('sqlite:///'))}"
        return self.database.url

    def key_path(self) -> Path:
        """Where the secret key of hashes and own mails lies."""
        if self.database.key_file:
            return self.resolve(self.database.key_file)
        url = self.database_url()
        if url.startswith("sqlite:///"):
            return Path(url.removeprefix("sqlite:///")).with_suffix(".key")
        return self.path.with_suffix(".key")


def load(path: Path) -> Config:
    """Reads the configuration file.

    Raises ConfigurationError with every problem: unreadable file, broken TOML, unknown, missing and wrong keys.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            [f"{path}: there is no such file; write one with: mailbot init --output {path}"]
        ) from None
    except OSError as error:
        raise ConfigurationError([f"{path}: can not be read ({error.strerror}); check its owner and mode"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: is not UTF-8 text; save it as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{path}: is not valid TOML: {error}"]) from error
    return from_data(data, path)


def from_data(data: Mapping[str, Any], path: Path) -> Config:
    """A configuration from parsed TOML; the same errors as `load`."""
    if "path" in data:
        raise ConfigurationError([f"{path}: path: unknown key; remove it"])
    between = [f"{path}: {key}: {text}" if key else f"{path}: {text}" for key, text in problems_between(data)]
    try:
        found = Config.model_validate({**data, "path": path.resolve()})
    except ValidationError as error:
        keys = [_problem(path, item) for item in error.errors(include_url=False)]
        raise ConfigurationError(keys + between) from None
    if between:
        raise ConfigurationError(between)
    return found


def _problem(path: Path, item: Any) -> str:
    key = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in item["loc"])
    kind, message = item["type"], str(item["msg"])
    if kind == "extra_forbidden":
        text = f"{key}: unknown key; remove it or look for a spelling mistake (mailbot init shows every key)"
    elif kind == "missing":
        text = f"{key}: is missing; add it (mailbot init shows an example)"
    elif kind == "value_error":
        text = f"{key}: {message.removeprefix('Value error, ')}" if key else message.removeprefix("Value error, ")
    else:
        text = f"{key}: {message[0].lower()}{message[1:]}; mailbot init shows an example"
    return f"{path}: {text}"
