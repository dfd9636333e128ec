"""How messages are got out of an open folder: many in one answer, and one by one where an answer fails.

Small messages come whole. Of a large one come headers, text parts and the names of its files; whole bytes are fetched
only for what becomes part of a ticket. A message is left out of what `read` gives only when the folder holds it no
more. One that the server holds and will not give comes as `readable=False`, so that a person hears of it; but only
after another message of the folder was given, since a sick server must not turn a mailbox into set-aside tickets.
A requested UID may be missing from an answer, and any item from a message (RFC 3501 7.4.2 lets a server send NIL).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from mailbot.errors import TryLaterError
from mailbot.gateway.imap_errors import BadAnswerError, BrokenLineError
from mailbot.gateway.imap_structure import outline, text_sections

WHOLE_BYTES = 64 * 1024  # messages up to this size are fetched whole at once
BATCH_BYTES = 1024 * 1024  # bytes asked for in one answer
TEXT_BYTES = 512 * 1024  # of one text part of a large message
OUTLINE_BYTES = 64 * 1024  # what the texts of a large message are reckoned as
BATCH_COUNT = 100
SUMMARY_COUNT = 1000  # messages whose sizes are asked for at once
MENDS = 8  # new connections in one reading; a server that breaks more is left alone until the next round
WITNESSES = 3  # other messages that are asked for before one is called unreadable

Answers = dict[int, dict[bytes, Any]]


class Line(Protocol):
    """An open folder to ask; see `ImapMailbox`."""

    def fetch(self, uids: Sequence[int], keys: Sequence[str]) -> Answers: ...

    def present(self, uids: Sequence[int]) -> frozenset[int]: ...

    def uids(self) -> list[int]: ...

    def mend(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is known of a message before its bytes."""

    uid: int
    size: int  # bytes, RFC822.SIZE
    internal_date: datetime | None  # aware, the server's own zone; None when it does not say


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A message as fetched. When not `whole`, file parts are only named."""

    uid: int
    size: int
    internal_date: datetime | None
    raw: bytes = field(repr=False)
    whole: bool
    readable: bool = True  # False: the server holds it and does not give it; `raw` is its headers at most


class Fetching:
    """The messages of one mailbox, however it answers."""

    def __init__(self, line: Line, message_bytes: int) -> None:
        self._line = line
        self._message_bytes = message_bytes
        self._mends = 0

    def read(self, uids: Sequence[int]) -> Iterator[Fetched]:
        """The messages in ascending order, small ones whole; those that are gone are passed over, and no other.

        Raises TryLaterError when the server gives no message at all, or keeps breaking the connection.
        """
        self._mends = 0
        for start in range(0, len(uids), SUMMARY_COUNT):
            for batch in _batches(self._summaries(uids[start : start + SUMMARY_COUNT])):
                yield from self._read_batch(batch)

    def _summaries(self, uids: Sequence[int]) -> list[Summary]:
        """Size and arrival of each, in order; one that the answer leaves out comes with size 0, to be asked alone."""
        answers = self.divided(uids, ["RFC822.SIZE", "INTERNALDATE"])
        return [_summary(uid, answers.get(uid, {})) for uid in uids]

    def _read_batch(self, batch: Sequence[Summary]) -> Iterator[Fetched]:
        """All small ones in one answer, the outlines of the large ones in a few, and what is missing one by one."""
        small = [item.uid for item in batch if 0 < item.size <= WHOLE_BYTES]
        large = [item.uid for item in batch if item.size > WHOLE_BYTES]
        answers = self.divided(small, ["BODY.PEEK[]"])
        raws: dict[int, bytes | None] = {uid: answer.get(b"BODY[]") for uid, answer in answers.items()}
        raws |= self._outlines(large)
        missing = [item.uid for item in batch if raws.get(item.uid) is None]
        held = self._line.present(missing) if missing else frozenset()
        for item in batch:
            raw = raws.get(item.uid)
            if raw is not None:
                whole = item.size <= WHOLE_BYTES
                yield Fetched(uid=item.uid, size=item.size, internal_date=item.internal_date, raw=raw, whole=whole)
            elif item.uid in held and (alone := self._alone(item)) is not None:
                yield alone

    def _outlines(self, uids: Sequence[int]) -> dict[int, bytes | None]:
        """Headers, text parts and the names of files of large messages; messages built alike share one answer."""
        answers = self.divided(uids, ["BODYSTRUCTURE", "BODY.PEEK[HEADER]"])
        alike: dict[tuple[str, ...], list[int]] = {}
        for uid, answer in answers.items():
            sections = _sections(answer)
            if sections is not None:
                alike.setdefault(sections, []).append(uid)
        found: dict[int, bytes | None] = {}
        for sections, members in alike.items():
            keys = [f"BODY.PEEK[{section}]<0.{TEXT_BYTES}>" for section in sections]
            parts = self.divided(members, keys) if keys else {}
            for uid in members:
                found[uid] = _outline(answers[uid], sections, parts.get(uid, {}))
        return found

    def divided(self, uids: Sequence[int], keys: Sequence[str]) -> Answers:
        """One answer for all. Where it can not be used, less is asked, down to one; what fails alone is left out."""
        if not uids:
            return {}
        try:
            return self._line.fetch(uids, keys)
        except BadAnswerError:
            half = (len(uids) + 1) // 2
            parts = [uids[:half], uids[half:]]
        except BrokenLineError:
            self._mend()
            parts = [[uid] for uid in uids]  # whichever breaks it will do so alone, and only once
        found: Answers = {}
        for part in parts if len(uids) > 1 else []:
            found |= self.divided(part, keys)
        return found

    def _mend(self) -> None:
        self._mends += 1
        if self._mends > MENDS:
            raise TryLaterError("the IMAP server breaks one connection after the other", "It is tried again.")
        self._line.mend()

    def _alone(self, item: Summary) -> Fetched | None:
        """A message that did not come with the others: all of it, else its headers; None when it is gone."""
        internal_date = item.internal_date or self._arrival(item.uid)
        raw = self.bytes_of(item.uid, self._message_bytes)
        if raw is not None:
            cut = len(raw) >= self._message_bytes
            size = max(item.size, len(raw) + cut)
            return Fetched(uid=item.uid, size=size, internal_date=internal_date, raw=raw, whole=size == len(raw))
        if item.uid not in self._line.present([item.uid]):
            return None
        headers = _body(self.divided([item.uid], ["BODY.PEEK[HEADER]"]).get(item.uid, {})) or b""
        self._gives_others(item.uid)
        return Fetched(
            uid=item.uid, size=item.size, internal_date=internal_date, raw=headers, whole=False, readable=False
        )

    def _arrival(self, uid: int) -> datetime | None:
        return _date(self.divided([uid], ["INTERNALDATE"]).get(uid, {}))

    def bytes_of(self, uid: int, limit: int) -> bytes | None:
        """All bytes of a message, at most the first `limit`; None when it is gone or is not given."""
        return _body(self.divided([uid], [f"BODY.PEEK[]<0.{limit}>"]).get(uid, {}))

    def _gives_others(self, uid: int) -> None:
        """The fault is the message's only if its neighbours are given. Raises TryLaterError when none is."""
        others = sorted((other for other in self._line.uids() if other != uid), key=lambda other: abs(other - uid))
        for other in others[:WITNESSES]:
            if self.bytes_of(other, 1024) is not None:
                return
        if others:
            raise TryLaterError("the IMAP server gives no message of the open folder", "It is tried again.")


def _summary(uid: int, answer: Mapping[bytes, Any]) -> Summary:
    size = answer.get(b"RFC822.SIZE")
    return Summary(uid=uid, size=size if isinstance(size, int) else 0, internal_date=_date(answer))


def _date(answer: Mapping[bytes, Any]) -> datetime | None:
    found = answer.get(b"INTERNALDATE")
    return found if isinstance(found, datetime) and found.tzinfo is not None else None


def _body(answer: Mapping[bytes, Any]) -> bytes | None:
    """The bytes of an answer to one BODY item, whether or not the server repeats the range that was asked."""
    found = [value for key, value in answer.items() if key.startswith(b"BODY[") and isinstance(value, bytes)]
    return found[0] if found else None


def _sections(answer: Mapping[bytes, Any]) -> tuple[str, ...] | None:
    """The text parts of a large message; None when its structure or its headers are missing or make no sense."""
    if not isinstance(answer.get(b"BODY[HEADER]"), bytes):
        return None
    try:
        return tuple(text_sections(answer[b"BODYSTRUCTURE"]))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


def _outline(answer: Mapping[bytes, Any], sections: Sequence[str], given: Mapping[bytes, Any]) -> bytes | None:
    """The outline, None when a text of it did not come: then the message is fetched whole."""
    came = {section: given.get(f"BODY[{section}]<0>".encode()) for section in sections}
    texts = {section: text for section, text in came.items() if isinstance(text, bytes)}
    if len(texts) < len(sections):
        return None
    try:
        return outline(answer[b"BODY[HEADER]"], answer[b"BODYSTRUCTURE"], texts)
    except (IndexError, TypeError, ValueError, AttributeError):
        return None


def _batches(items: Sequence[Summary]) -> Iterator[list[Summary]]:
    """Messages in order, together up to BATCH_COUNT and BATCH_BYTES; of a large one only its outline counts."""
    batch: list[Summary] = []
    total = 0
    for item in items:
        cost = item.size if item.size <= WHOLE_BYTES else OUTLINE_BYTES
        if batch and (len(batch) >= BATCH_COUNT or total + cost > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += cost
    if batch:
        yield batch
