"""Versions of drafts, their attachments, and approvals. A version is never changed; a new one supersedes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from mailbot.core.draft import AttachmentDigest, Content, DraftKind, DraftState, Need, NeedKind, digest
from mailbot.core.rights import Outcome, Right
from mailbot.store.schema import approval, attachment, draft


@dataclass(frozen=True, kw_only=True)
class File:
    """An attachment with its bytes."""

    name: str
    type: str
    content: bytes = field(repr=False)

    def digest(self) -> AttachmentDigest:
        """What an approval sees of it."""
        return AttachmentDigest(name=self.name, type=self.type, size=len(self.content), sha256=digest(self.content))


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One version of one draft."""

    id: int
    ticket_id: int
    kind: DraftKind
    version: int
    state: DraftState
    outcome: Outcome | None
    outcomes: dict[Right, Outcome]
    values: dict[str, str] = field(repr=False)
    language: str
    sender: str
    recipient: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    in_reply_to: str
    references: list[str]
    needs: tuple[Need, ...]
    checklist: list[str]
    findings: list[dict[str, str]]
    edited: bool
    fingerprint: str
    made_by: str
    made_at: datetime
    attachments: tuple[AttachmentDigest, ...] = ()

    @property
    def ready(self) -> bool:
        """True when nothing is missing and no finding stands in the way; only then can it be approved."""
        return not self.needs and not self.blocked

    @property
    def blocked(self) -> tuple[str, ...]:
        """What the linter found that stands in the way, in words."""
        return tuple(item["message"] for item in self.findings if item.get("severity") == "block")

    def content(self) -> Content:
        """What the fingerprint covers, as it stands in the database now."""
        return Content(
            sender=self.sender,
            recipient=self.recipient,
            subject=self.subject,
            text=self.text,
            html=self.html,
            in_reply_to=self.in_reply_to,
            attachments=self.attachments,
        )


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One person's word for one fingerprint."""

    id: int
    draft_id: int
    fingerprint: str
    staff: str
    second: str
    door: str
    only_first: bool
    approved_at: datetime
    withdrawn_at: datetime | None


# What every new ticket asks is built once: making a statement costs more than running it.
_OF_KIND = (draft.c.ticket_id == bindparam("of_ticket")) & (draft.c.kind == bindparam("of_kind"))
_NEWEST = select(draft).where(_OF_KIND).order_by(draft.c.version.desc()).limit(1)
_LAST_VERSION = select(func.max(draft.c.version)).where(_OF_KIND)
_SUPERSEDE = (
    update(draft).where(_OF_KIND, draft.c.state == DraftState.PENDING.value).values(state=DraftState.SUPERSEDED.value)
)
_ADD = insert(draft).returning(draft.c.id)
_BY_ID = select(draft).where(draft.c.id == bindparam("number"))
_OF_TICKET = select(draft).where(draft.c.ticket_id == bindparam("of_ticket")).order_by(draft.c.id)
_ATTACHMENTS = (
    select(attachment.c.name, attachment.c.type, attachment.c.size, attachment.c.sha256)
    .where(attachment.c.draft_id == bindparam("number"))
    .order_by(attachment.c.position)
)


def add(connection: Connection, values: Mapping[str, Any], files: Sequence[File]) -> Draft:
    """Stores a new version; pending earlier versions of that kind are superseded. Its number counts up from 1."""
    mine = {"of_ticket": values["ticket_id"], "of_kind": values["kind"]}
    last = connection.execute(_LAST_VERSION, mine).scalar() or 0
    if last:
        connection.execute(_SUPERSEDE, mine)
    number = connection.execute(_ADD, {**values, "version": last + 1, "state": DraftState.PENDING.value}).scalar_one()
    for place, file in enumerate(files):
        seen = file.digest()
        connection.execute(
            insert(attachment).values(
                draft_id=number,
                position=place,
                name=seen.name,
                type=seen.type,
                size=seen.size,
                sha256=seen.sha256,
                content=file.content,
            )
        )
    return by_id(connection, number)


def by_id(connection: Connection, number: int) -> Draft:
    """The draft of that number, which exists."""
    return _draft(connection, connection.execute(_BY_ID, {"number": number}).mappings().one())


def of_ticket(connection: Connection, ticket_id: int) -> tuple[Draft, ...]:
    """Every version of every draft of a ticket, oldest first."""
    rows = connection.execute(_OF_TICKET, {"of_ticket": ticket_id}).mappings().all()
    return tuple(_draft(connection, row) for row in rows)


def newest(connection: Connection, ticket_id: int, kind: DraftKind) -> Draft | None:
    """The latest version of that kind in any state."""
    row = connection.execute(_NEWEST, {"of_ticket": ticket_id, "of_kind": kind.value}).mappings().first()
    return _draft(connection, row) if row else None


def pending(connection: Connection, ticket_id: int, kind: DraftKind | None = None) -> tuple[Draft, ...]:
    """The versions that wait for a decision, oldest first."""
    return tuple(
        item
        for item in of_ticket(connection, ticket_id)
        if item.state is DraftState.PENDING and kind in (None, item.kind)
    )


def set_state(connection: Connection, number: int, state: DraftState) -> None:
    """Writes where a version stands."""
    connection.execute(update(draft).where(draft.c.id == number).values(state=state.value))


def supersede(connection: Connection, ticket_id: int, kind: DraftKind | None = None) -> None:
    """Supersedes the pending drafts of a ticket, of one kind or of all."""
    where = (draft.c.ticket_id == ticket_id) & (draft.c.state == DraftState.PENDING.value)
    if kind is not None:
        where &= draft.c.kind == kind.value
    connection.execute(update(draft).where(where).values(state=DraftState.SUPERSEDED.value))


def files(connection: Connection, number: int) -> tuple[File, ...]:
    """The attachments of a version with their bytes; empty bytes when they were purged."""
    rows = connection.execute(
        select(attachment.c.name, attachment.c.type, attachment.c.content)
        .where(attachment.c.draft_id == number)
        .order_by(attachment.c.position)
    )
    return tuple(File(name=row.name, type=row.type, content=row.content or b"") for row in rows)


def approve(
    connection: Connection, found: Draft, *, staff: str, door: str, now: datetime, second: str = ""
) -> Approval:
    """Writes down a person's word for exactly this version."""
    number = connection.execute(
        insert(approval)
        .values(
            draft_id=found.id, fingerprint=found.fingerprint, staff=staff, second=second, door=door, approved_at=now
        )
        .returning(approval.c.id)
    ).scalar_one()
    set_state(connection, found.id, DraftState.APPROVED)
    return approval_by_id(connection, number)


def approve_first(connection: Connection, found: Draft, *, staff: str, door: str, now: datetime) -> None:
    """Writes down the first of two persons' words; the version stays pending and nothing can be sent on it."""
    connection.execute(
        insert(approval).values(
            draft_id=found.id, fingerprint=found.fingerprint, staff=staff, door=door, approved_at=now, only_first=True
        )
    )


def first_approver(connection: Connection, draft_id: int) -> str:
    """Address of the person who gave the first of two words for a pending version; "" when nobody has."""
    query = select(approval.c.staff).where(approval.c.draft_id == draft_id, approval.c.only_first.is_(True))
    return connection.execute(query.order_by(approval.c.id).limit(1)).scalar() or ""


def approval_by_id(connection: Connection, number: int) -> Approval:
    """The approval of that number, which exists."""
    return Approval(**connection.execute(select(approval).where(approval.c.id == number)).mappings().one())


def approval_of(connection: Connection, draft_id: int) -> Approval | None:
    """The approval of a version that has not been taken back, None when there is none."""
    query = select(approval).where(
        approval.c.draft_id == draft_id, approval.c.withdrawn_at.is_(None), approval.c.only_first.is_(False)
    )
    row = connection.execute(query.order_by(approval.c.id.desc()).limit(1)).mappings().first()
    return Approval(**row) if row else None


def withdraw_approval(connection: Connection, number: int, now: datetime) -> None:
    """Takes an approval back; the version is pending again."""
    found = approval_by_id(connection, number)
    connection.execute(update(approval).where(approval.c.id == number).values(withdrawn_at=now))
    set_state(connection, found.draft_id, DraftState.PENDING)


def blank(connection: Connection, ticket_id: int, *, all_text: bool) -> None:
    """Removes attachment bytes of a ticket's drafts and, with `all_text`, every word of them."""
    mine = select(draft.c.id).where(draft.c.ticket_id == ticket_id)
    connection.execute(update(attachment).where(attachment.c.draft_id.in_(mine)).values(content=None))
    if all_text:
        connection.execute(update(attachment).where(attachment.c.draft_id.in_(mine)).values(name=""))
        words: dict[str, Any] = {"subject": "", "text": "", "html": "", "recipient": "", "in_reply_to": ""}
        words |= {"values": {}, "references": [], "needs": [], "checklist": [], "findings": []}
        connection.execute(update(draft).where(draft.c.ticket_id == ticket_id).values(**words))


def _draft(connection: Connection, row: RowMapping) -> Draft:
    values = dict(row)
    rows = connection.execute(_ATTACHMENTS, {"number": row["id"]}).mappings()
    values["kind"] = DraftKind(values["kind"])
    values["state"] = DraftState(values["state"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    values["outcomes"] = {Right(right): Outcome(outcome) for right, outcome in values["outcomes"].items()}
    values["needs"] = tuple(_need(item) for item in values["needs"])
    values["attachments"] = tuple(AttachmentDigest(**item) for item in rows)
    return Draft(**values)


def _need(item: Mapping[str, Any]) -> Need:
    return Need(
        name=item["name"],
        kind=NeedKind(item["kind"]),
        question=item["question"],
        choices=tuple(item.get("choices", ())),
    )
