"""The mailbox as flows see it: only looked at; which of its folders, and what one round over them did.

What changes anything in it (`mark`, `copy`, `move`, `delete_own`) happens only because the configuration asks for it,
and only to messages that became tickets or are test mails of ours (design, promise 4).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol


class FolderState(Protocol):
    """What opening a folder says."""

    @property
    def uidvalidity(self) -> int: ...


class Mailbox(Protocol):
    """A mailbox that is only looked at."""

    def folders(self) -> tuple[str, ...]: ...

    def examine(self, folder: str) -> FolderState: ...

    def uids(self, *, after: int = 0, since: date | None = None) -> list[int]: ...

    def read(self, uids: Sequence[int]) -> Iterator[Any]: ...

    def whole(self, uid: int, limit: int) -> bytes | None: ...

    def answered(self, uids: Sequence[int]) -> frozenset[int]: ...

    def mark(self, folder: str, uids: Sequence[int], keyword: str) -> None: ...

    def copy(self, folder: str, uids: Sequence[int], target: str) -> None: ...

    def move(self, folder: str, uids: Sequence[int], target: str) -> None: ...

    def delete_own(self, folder: str, uids: Sequence[int]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Which folders are read, from when on, and what happens to messages that became tickets."""

    names: tuple[str, ...] | None  # None: all
    exclude: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    start: str = "35d"  # "35d", a date, or "new"
    keyword: str = ""
    copy_to: str = ""
    move_to: str = ""
    delete_canaries: bool = False  # test mails of ours, and nothing else, are deleted once they have arrived

    @property
    def ask(self) -> bool:
        """True when something is to be done in the mailbox itself."""
        return bool(self.keyword or self.copy_to or self.move_to or self.delete_canaries)


@dataclass(kw_only=True)
class Round:
    """What one round did."""

    read: int = 0
    tickets: int = 0
    follow_ups: int = 0
    commands: int = 0
    left_alone: int = 0
    set_aside: int = 0
    problems: list[str] = field(default_factory=list)  # folders that could not be read


def names_of(mailbox: Mailbox, folders: Folders) -> tuple[str, ...]:
    """The folders that are read."""
    if folders.names is not None:
        return folders.names
    left_out = {*folders.exclude, *folders.sent}
    return tuple(name for name in mailbox.folders() if name not in left_out)
