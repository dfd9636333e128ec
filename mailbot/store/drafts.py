"""Versions of drafts, their attachments, and approvals. A version is never changed; a new one supersedes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailbot.core.draft import AttachmentDigest, Content, DraftKind, DraftState, Need, NeedKind, digest
from mailbot.core.rights import Outcome, Right
from mailbot.store.connection import Connection, Row


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


_BLANK: Mapping[str, Any] = {  # what a version without these says of itself
    "outcomes": {},
    "values": {},
    "html": "",
    "in_reply_to": "",
    "references": [],
    "needs": [],
    "checklist": [],
    "findings": [],
    "edited": False,
}
_OF_KIND = "FROM draft WHERE ticket_id = :ticket_id AND kind = :kind"
_PENDING = "WHERE ticket_id = :ticket_id AND state = 'pending'"
_APPROVAL = {"second": "", "only_first": False}


def add(connection: Connection, values: Mapping[str, Any], files: Sequence[File]) -> Draft:
    """Stores a new version; pending earlier versions of that kind are superseded. Its number counts up from 1."""
    mine = {"ticket_id": values["ticket_id"], "kind": values["kind"]}
    last = connection.value(f"SELECT max(version) {_OF_KIND}", mine) or 0
    if last:
        supersede(connection, values["ticket_id"], DraftKind(values["kind"]))
    row = {**_BLANK, **values, "version": last + 1, "state": DraftState.PENDING.value}
    number = connection.add_numbered("draft", row)
    for place, file in enumerate(files):
        seen = file.digest()
        connection.add(
            "attachment",
            {
                "draft_id": number,
                "position": place,
                "name": seen.name,
                "type": seen.type,
                "size": seen.size,
                "sha256": seen.sha256,
                "content": file.content,
            },
        )
    return by_id(connection, number)


def by_id(connection: Connection, number: int) -> Draft:
    """The draft of that number, which exists."""
    return _draft(connection, connection.one("SELECT * FROM draft WHERE id = :id", {"id": number}))


def of_ticket(connection: Connection, ticket_id: int) -> tuple[Draft, ...]:
    """Every version of every draft of a ticket, oldest first."""
    rows = connection.rows("SELECT * FROM draft WHERE ticket_id = :ticket_id ORDER BY id", {"ticket_id": ticket_id})
    return tuple(_draft(connection, row) for row in rows)


def newest(connection: Connection, ticket_id: int, kind: DraftKind) -> Draft | None:
    """The latest version of that kind in any state."""
    query = f"SELECT * {_OF_KIND} ORDER BY version DESC LIMIT 1"
    row = connection.row(query, {"ticket_id": ticket_id, "kind": kind.value})
    return _draft(connection, row) if row else None


def pending(connection: Connection, ticket_id: int, kind: DraftKind | None = None) -> tuple[Draft, ...]:
    """The versions that wait for a decision, oldest first."""
    rows = connection.rows(f"SELECT * FROM draft {_PENDING} ORDER BY id", {"ticket_id": ticket_id})
    return tuple(_draft(connection, row) for row in rows if kind in (None, row["kind"]))


def set_state(connection: Connection, number: int, state: DraftState) -> None:
    """Writes where a version stands."""
    connection.change("draft", number, {"state": state.value})


def supersede(connection: Connection, ticket_id: int, kind: DraftKind | None = None) -> None:
    """Supersedes the pending drafts of a ticket, of one kind or of all."""
    of_kind = " AND kind = :kind" if kind is not None else ""
    values = {"ticket_id": ticket_id} | ({"kind": kind.value} if kind is not None else {})
    connection.run(f"UPDATE draft SET state = 'superseded' {_PENDING}{of_kind}", values)


def files(connection: Connection, number: int) -> tuple[File, ...]:
    """The attachments of a version with their bytes; empty bytes when they were purged."""
    query = "SELECT name, type, content FROM attachment WHERE draft_id = :id ORDER BY position"
    rows = connection.rows(query, {"id": number})
    return tuple(File(name=row["name"], type=row["type"], content=row["content"] or b"") for row in rows)


def approve(
    connection: Connection, found: Draft, *, staff: str, door: str, now: datetime, second: str = ""
) -> Approval:
    """Writes down a person's word for exactly this version."""
    given = {"draft_id": found.id, "fingerprint": found.fingerprint, "staff": staff, "door": door, "approved_at": now}
    number = connection.add_numbered("approval", {**_APPROVAL, **given, "second": second})
    set_state(connection, found.id, DraftState.APPROVED)
    return approval_by_id(connection, number)


def approve_first(connection: Connection, found: Draft, *, staff: str, door: str, now: datetime) -> None:
    """Writes down the first of two persons' words; the version stays pending and nothing can be sent on it."""
    given = {"draft_id": found.id, "fingerprint": found.fingerprint, "staff": staff, "door": door, "approved_at": now}
    connection.add("approval", {**_APPROVAL, **given, "only_first": True})


def first_approver(connection: Connection, draft_id: int) -> str:
    """Address of the person who gave the first of two words for a pending version; "" when nobody has."""
    query = """SELECT staff FROM approval WHERE draft_id = :id AND only_first IS TRUE AND withdrawn_at IS NULL
 ORDER BY id LIMIT 1"""
    return connection.value(query, {"id": draft_id}) or ""


def approval_by_id(connection: Connection, number: int) -> Approval:
    """The approval of that number, which exists."""
    return Approval(**connection.one("SELECT * FROM approval WHERE id = :id", {"id": number}))


def approval_of(connection: Connection, draft_id: int) -> Approval | None:
    """The approval of a version that has not been taken back, None when there is none."""
    query = """SELECT * FROM approval WHERE draft_id = :id AND withdrawn_at IS NULL AND only_first IS FALSE
 ORDER BY id DESC LIMIT 1"""
    row = connection.row(query, {"id": draft_id})
    return Approval(**row) if row else None


def withdraw_approval(connection: Connection, number: int, now: datetime) -> None:
    """Takes an approval back, and under four eyes the first word with it; the version is pending again."""
    found = approval_by_id(connection, number)
    connection.run(
        """UPDATE approval SET withdrawn_at = :now WHERE withdrawn_at IS NULL
 AND (id = :id OR draft_id = :draft_id AND only_first IS TRUE)""",
        {"now": now, "id": number, "draft_id": found.draft_id},
    )
    set_state(connection, found.draft_id, DraftState.PENDING)


def blank(connection: Connection, ticket_id: int, *, all_text: bool) -> None:
    """Removes attachment bytes of a ticket's drafts and, with `all_text`, every word of them."""
    mine = {"ticket_id": ticket_id}
    what = "content = NULL, name = ''" if all_text else "content = NULL"
    of_ticket = "(SELECT id FROM draft WHERE ticket_id = :ticket_id)"
    connection.run(f"UPDATE attachment SET {what} WHERE draft_id IN {of_ticket}", mine)
    if all_text:
        connection.run(
            """UPDATE draft SET subject = '', text = '', html = '', recipient = '', in_reply_to = '', "values" = '{}',
 "references" = '[]', needs = '[]', checklist = '[]', findings = '[]' WHERE ticket_id = :ticket_id""",
            mine,
        )


def _draft(connection: Connection, row: Row) -> Draft:
    query = "SELECT name, type, size, sha256 FROM attachment WHERE draft_id = :id ORDER BY position"
    known = {
        "kind": DraftKind(row["kind"]),
        "state": DraftState(row["state"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
        "outcomes": {Right(right): Outcome(outcome) for right, outcome in row["outcomes"].items()},
        "needs": tuple(_need(item) for item in row["needs"]),
        "attachments": tuple(AttachmentDigest(**item) for item in connection.rows(query, {"id": row["id"]})),
    }
    return Draft(**{**row, **known})


def _need(item: Mapping[str, Any]) -> Need:
    return Need(
        name=item["name"],
        kind=NeedKind(item["kind"]),
        question=item["question"],
        choices=tuple(item.get("choices", ())),
    )
