"""Every table, in one place. Plain String with a named CHECK instead of Enum; times are aware UTC; flags are Boolean.

Personal data of a ticket stand in columns that `store/messages.py`, `store/tickets.py` and `store/drafts.py` can blank
(purge) without breaking a key or the audit chain. The outbox row of a mail to a data subject is tied to its approval by
foreign key and CHECK (design, promise 1).
"""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    column,
    func,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
KEY = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER PRIMARY KEY


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware in; UTC out (SQLite keeps it without a zone)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the store")
        moment = _in_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the interface
        """UTC in; aware out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    """The same moment in UTC; a Date header may name the first or last hours that exist, which have none there."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return value.replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """A list or an object, kept as JSON text that reads the same on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002 - the interface
        """Any JSON value in, text out."""
        return _clean(json.dumps(value, ensure_ascii=False, sort_keys=True))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 - the interface
        """Text in, JSON value out."""
        return json.loads(value) if value else None


class Words(TypeDecorator[str]):
    """Text from outside. PostgreSQL refuses NUL and every database refuses lone surrogates: both are replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface
        """Any text in, storable text out."""
        return None if value is None else _clean(value)


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


cursor = Table(
    "cursor",
    METADATA,
    Column("folder", String(500), primary_key=True),
    Column("uidvalidity", BigInteger, nullable=False),  # unsigned 32 bits (RFC 3501 2.3.1.1)
    Column("last_uid", BigInteger, nullable=False),
    Column("polled_at", Moment, nullable=False),
)

# What was read and is not ours to keep: no content, only where it lay, the verdict and a keyed hash (promise 5).
seen = Table(
    "seen",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("folder", String(500), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("rules_version", String(64), nullable=False, default=""),
    Column("seen_at", Moment, nullable=False),
    UniqueConstraint("folder", "uidvalidity", "uid"),
    Index(None, "hash"),
    Index(None, "seen_at"),
)

# What the configuration asks to be done in the mailbox and is not known to have been done.
errand = Table(
    "errand",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("hash", String(64), nullable=False),  # of the message, which may have moved meanwhile
    Column("kind", String(10), nullable=False),
    Column("folder", String(500), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("made_at", Moment, nullable=False),
    UniqueConstraint("hash", "kind"),
    _one_of("kind", "keyword", "copy", "move", "delete"),
)

counter = Table(
    "counter",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Integer, nullable=False),
)

ticket = Table(
    "ticket",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("reference", String(40), nullable=False, unique=True),
    Column("status", String(20), nullable=False),
    Column("language", String(10), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("requester_name", Words, nullable=False, default=""),
    Column("requester_address", Words, nullable=False, default=""),  # mail address; "" for paper
    Column("postal_address", Words, nullable=False, default=""),
    Column("reply_to", Words, nullable=False, default=""),  # a differing Reply-To, shown and never used unasked
    Column("received_at", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("target_on", Date, nullable=False),
    Column("act_by_on", Date),
    Column("one_month_on", Date, nullable=False),
    Column("provisional", Boolean, nullable=False, default=False),
    Column("explanations", Json, nullable=False, default=dict),  # JSON: language -> sentence
    Column("extended", Boolean, nullable=False, default=False),
    Column("extension_reason", Words, nullable=False, default=""),
    Column("identified", Boolean, nullable=False, default=False),
    Column("assigned_to", String(320), nullable=False, default=""),
    Column("flags", Json, nullable=False, default=list),
    Column("evidence", Json, nullable=False, default=list),
    Column("rules_version", String(64), nullable=False, default=""),
    Column("authenticity", Json, nullable=False, default=list),
    Column("linked_to", ForeignKey("ticket.id")),
    Column("outside_suspected", Boolean, nullable=False, default=False),
    Column("outside_denied", Boolean, nullable=False, default=False),  # staff said: that was not the answer
    Column("hold", Boolean, nullable=False, default=False),  # legal hold: nothing is purged
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("files_purged", Boolean, nullable=False, default=False),
    Column("purged_at", Moment),
    _one_of(
        "status",
        "needs_triage",
        "open",
        "awaiting_identity",
        "awaiting_requester",
        "drafted",
        "approved",
        "answered",
        "closed",
        "withdrawn",
        "dismissed",
    ),
    _one_of("channel", "email", "letter", "counter", "phone"),
    Index(None, "status", "due_on"),
    Index("ix_ticket_person", func.lower(column("requester_address"))),  # people are found whatever case they write in
)

request = Table(
    "request",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("right", String(30), nullable=False),
    Column("status", String(20), nullable=False, default="open"),  # open | ended | lifted
    Column("outcome", String(30)),
    Column("ground", String(30)),
    UniqueConstraint("ticket_id", "right"),
    _one_of("status", "open", "ended", "lifted"),
)

message = Table(
    "message",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("direction", String(3), nullable=False),
    Column("kind", String(30), nullable=False),  # request | follow_up | bounce | reply | outside | ...
    Column("message_id", Words, nullable=False, default=""),
    Column("references", Json, nullable=False, default=list),  # JSON list, oldest first
    Column("from_name", Words, nullable=False, default=""),
    Column("from_address", Words, nullable=False, default=""),
    Column("subject", Words, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),  # what the writer wrote
    Column("attachments", Json, nullable=False, default=list),  # JSON: name, type, bytes
    Column("received_at", Moment, nullable=False),
    Column("date_at", Moment),
    Column("folder", String(500), nullable=False, default=""),
    Column("uidvalidity", BigInteger),
    Column("uid", BigInteger),
    Column("hash", String(64), nullable=False, default=""),
    Column("flags", Json, nullable=False, default=list),
    Column("raw", LargeBinary),  # the bytes as received; blanked by purge
    _one_of("direction", "in", "out"),
    Index(None, "ticket_id"),
    Index(None, "message_id"),
    Index(None, "hash"),
)

question = Table(
    "question",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("counted", Boolean, nullable=False, default=True),
    Index(None, "ticket_id"),
)

task = Table(
    "task",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("kind", String(20), nullable=False),  # article_19 | checklist | lifting
    Column("text", Words, nullable=False),
    Column("done_at", Moment),
    Column("done_by", String(320), nullable=False, default=""),
    Column("note", Words, nullable=False, default=""),
    Index(None, "ticket_id"),
)

draft = Table(
    "draft",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("outcome", String(30)),
    Column("outcomes", Json, nullable=False, default=dict),  # JSON: right -> outcome
    Column("values", Json, nullable=False, default=dict),  # JSON: need name -> value
    Column("language", String(10), nullable=False),
    Column("sender", Words, nullable=False),
    Column("recipient", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("html", Words, nullable=False, default=""),
    Column("in_reply_to", Words, nullable=False, default=""),
    Column("references", Json, nullable=False, default=list),
    Column("needs", Json, nullable=False, default=list),  # JSON: the unmet ones
    Column("checklist", Json, nullable=False, default=list),
    Column("findings", Json, nullable=False, default=list),  # JSON: what the linter says
    Column("edited", Boolean, nullable=False, default=False),  # text replaced by staff
    Column("fingerprint", String(64), nullable=False),
    Column("made_by", String(320), nullable=False),
    Column("made_at", Moment, nullable=False),
    UniqueConstraint("ticket_id", "kind", "version"),
    _one_of("state", "pending", "approved", "rejected", "superseded"),
)

attachment = Table(
    "attachment",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("draft_id", ForeignKey("draft.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary),
    UniqueConstraint("draft_id", "position"),
)

approval = Table(
    "approval",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("draft_id", ForeignKey("draft.id"), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("staff", String(320), nullable=False),
    Column("second", String(320), nullable=False, default=""),  # the second person where four eyes are asked
    Column("door", String(10), nullable=False),  # cli | mail
    Column("only_first", Boolean, nullable=False, default=False),  # the first of two words: nothing is sent on it
    Column("approved_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    UniqueConstraint("id", "fingerprint", "draft_id"),
    Index(None, "draft_id"),
)

# A one-time token of one staff mail: never the token itself, only hashes (design 8).
token = Table(
    "token",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("message_id_hash", String(64), nullable=False),
    Column("staff", String(320), nullable=False),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("drafts", Json, nullable=False, default=dict),  # JSON: kind -> draft id shown in that mail
    Column(
        "asked_outside", Boolean, nullable=False, default=False
    ),  # that mail asked whether an answer was given outside
    Column("last_message", BigInteger, nullable=False, default=0),  # the ticket's newest message when it was made
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index(None, "message_id_hash"),
    Index(None, "ticket_id"),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("audience", String(12), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("ticket_id", ForeignKey("ticket.id")),
    Column("draft_id", ForeignKey("draft.id")),
    Column("approval_id", KEY),
    Column("fingerprint", String(64)),
    Column("sender", Words, nullable=False),  # envelope
    Column("recipient", Words, nullable=False),
    Column("message_id", Words, nullable=False, default=""),
    Column("message_id_hash", String(64), nullable=False),
    Column("raw", LargeBinary),
    Column("sha256", String(64), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),  # answered failures; back-off counts only these
    Column("next_at", Moment, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("ended_at", Moment),
    _one_of("audience", "data_subject", "staff", "alarm", "canary"),
    _one_of("state", "queued", "sent", "failed", "cancelled"),
    CheckConstraint(
        "audience != 'data_subject' OR (approval_id IS NOT NULL AND fingerprint IS NOT NULL AND draft_id IS NOT NULL)",
        name="approved",
    ),
    Index(None, "state", "next_at"),
    Index(None, "message_id_hash"),
    Index(None, "ticket_id"),
)
# Approval, fingerprint and draft of an outbox row must be an approval of that draft that was really given (promise 1).
outbox.append_constraint(
    ForeignKeyConstraint(
        ["approval_id", "fingerprint", "draft_id"],
        ["approval.id", "approval.fingerprint", "approval.draft_id"],
        name="fk_outbox_approval",
    )
)

attempt = Table(
    "attempt",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("outbox_id", ForeignKey("outbox.id"), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("result", String(20)),  # accepted | deferred | refused | dropped | unreachable | not_permitted
    Column("answer", Words, nullable=False, default=""),
    Index(None, "outbox_id"),
)

reminder = Table(
    "reminder",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("key", String(60), nullable=False),
    Column("sent_at", Moment, nullable=False),
    UniqueConstraint("ticket_id", "key"),
)

# Attempts to act as staff that failed; outside ones are told in the next digest (issue of staff mail).
refusal = Table(
    "refused_command",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("why", String(40), nullable=False),
    Column("ticket_id", ForeignKey("ticket.id")),
    Column("outside", Boolean, nullable=False),
    Column("told_at", Moment),
    Column("sender", Words, nullable=False, default=""),
)

answered = Table(
    "answered_mail",
    METADATA,
    Column("id", KEY, primary_key=True),
    Column("address_hash", String(64), nullable=False),
    Column("subject_hash", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "address_hash", "at"),
)

state = Table(
    "state",
    METADATA,
    Column("name", String(60), primary_key=True),
    Column("value", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

audit = Table(
    "audit",
    METADATA,
    Column("seq", KEY, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("event", String(60), nullable=False),
    Column("reference", String(40), nullable=False),
    Column("actor", String(400), nullable=False),
    Column("detail_digest", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "reference"),
)

audit_detail = Table(
    "audit_detail",
    METADATA,
    Column("seq", ForeignKey("audit.seq"), primary_key=True),
    Column("salt", String(64), nullable=False),
    Column("text", Words, nullable=False),
)
