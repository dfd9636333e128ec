"""What a draft is, when it is ready, and exactly what an approval covers.

The rule: an approval is given for a fingerprint, and the fingerprint covers everything the recipient will see (design,
promise 1). Change one byte of it and the approval is for something else. Nothing here sends or stores.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class DraftKind(StrEnum):
    """What a draft is for. On arrival a ticket has a reply and an acknowledgement."""

    REPLY = "reply"
    ACKNOWLEDGEMENT = "acknowledgement"
    IDENTITY_QUESTION = "identity_question"
    AUTHORITY_QUESTION = "authority_question"
    CLARIFICATION = "clarification"
    EXTENSION_NOTICE = "extension_notice"
    LIFTING_NOTICE = "lifting_notice"


QUESTIONS = frozenset({DraftKind.IDENTITY_QUESTION, DraftKind.AUTHORITY_QUESTION, DraftKind.CLARIFICATION})


class DraftState(StrEnum):
    """Where a version of a draft stands. Only a pending one can be approved."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class NeedKind(StrEnum):
    """What form the missing fact has."""

    TEXT = "text"
    DATE = "date"
    ATTACHMENT = "attachment"
    CHOICE = "choice"


@dataclass(frozen=True, kw_only=True)
class Need:
    """A fact without which the text can not be written or sent; only staff can make it true."""

    name: str  # what `--set NAME=VALUE` calls it; with several rights in one reply "right.name"
    kind: NeedKind
    question: str  # in the staff member's language
    choices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The need as the commands print it."""
        found: dict[str, object] = {"name": self.name, "kind": self.kind.value, "question": self.question}
        if self.choices:
            found["choices"] = list(self.choices)
        return found


@dataclass(frozen=True, kw_only=True)
class AttachmentDigest:
    """An attachment as an approval sees it: its name, media type, size in bytes and SHA-256."""

    name: str
    type: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything of a draft that the recipient will see, and where it goes."""

    sender: str  # header form: "Name <address>"
    recipient: str  # address only; "" for a letter on paper
    subject: str
    text: str
    html: str = ""
    in_reply_to: str = ""
    attachments: tuple[AttachmentDigest, ...] = ()


def fingerprint(content: Content) -> str:
    """SHA-256 (hex, 64 characters) over a canonical JSON serialisation of `content` (design, promise 1)."""
    canonical = {
        "attachments": [[a.name, a.type, a.size, a.sha256] for a in content.attachments],
        "html": content.html,
        "in_reply_to": content.in_reply_to,
        "recipient": content.recipient,
        "sender": content.sender,
        "subject": content.subject,
        "text": content.text,
    }
    data = json.dumps(canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(data.encode("utf-8")).hexdigest()


def digest(data: bytes) -> str:
    """SHA-256 of bytes, hex."""
    return hashlib.sha256(data).hexdigest()


def unmet(needs: Sequence[Need], values: Mapping[str, str], attachments: Iterable[object]) -> tuple[Need, ...]:
    """The needs that nobody has met yet. One attachment meets every attachment need.

    An empty or blank value meets nothing; a choice is met only by one of its choices.
    """
    has_attachment = any(True for _ in attachments)

    def met(need: Need) -> bool:
        if need.kind is NeedKind.ATTACHMENT:
            return has_attachment
        value = values.get(need.name, "").strip()
        return bool(value) and (need.kind is not NeedKind.CHOICE or not need.choices or value in need.choices)

    return tuple(need for need in needs if not met(need))
