"""One authenticated command mail, as the files that judge, obey and answer it see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailbot.core.message import Message
from mailbot.core.staff import Actor, Door, StaffMember
from mailbot.flows.office import Office
from mailbot.store.outbox import Token
from mailbot.store.tickets import Ticket


@dataclass(frozen=True, kw_only=True)
class Case:
    """One authenticated command mail."""

    office: Office
    person: StaffMember
    token: Token | None  # None: only an answer can be given
    ticket: Ticket
    message: Message
    now: datetime
    oversize: int = 0  # bytes of a mail too large to be read whole; 0: all of it was read

    @property
    def actor(self) -> Actor:
        return Actor(staff=self.person, door=Door.MAIL)

    @property
    def words(self) -> Mapping[str, Any]:
        words: Mapping[str, Any] = self.office.texts.words(self.person.language)["staff"]
        return words
