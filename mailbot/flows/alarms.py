"""A trouble is told once when it begins and once when it is over, however often it is looked at.

What is told goes to the alarm address and back to the caller, for a command of the administrator's to shout. A trouble
has a name, under which it is remembered, and a phrase, which names its words: "polled", or "ending imap.certificate".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailbot.core.deadline import time_zone
from mailbot.core.letter import Text
from mailbot.flows import own_mail
from mailbot.flows.canary_words import WORDS
from mailbot.flows.office import Office
from mailbot.store import audit, cursors
from mailbot.store.database import Connection


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing that people hear of."""

    name: str  # which trouble
    recovered: bool
    text: Text = field(repr=False)


def trouble(
    connection: Connection,
    office: Office,
    name: str,
    phrase: str,
    *,
    now: datetime,
    since: datetime | None = None,
    details: Sequence[str] = (),
) -> list[Told]:
    """Tells of a trouble; nothing when people know of it."""
    known = cursors.read_state(connection, _state(name))
    if known is not None and known[0]:
        return []
    cursors.note_state(connection, _state(name), phrase, now)
    facts = {"since": local(office, since) if since else "", "details": list(details), "recovered": False}
    return [_tell(connection, office, name, phrase, facts, now)]


def recovered(connection: Connection, office: Office, name: str, *, now: datetime) -> list[Told]:
    """Tells that a trouble is over; nothing when there was none."""
    known = cursors.read_state(connection, _state(name))
    if known is None or not known[0]:
        return []
    cursors.note_state(connection, _state(name), "", now)
    facts = {"since": "", "details": [], "recovered": True}
    return [_tell(connection, office, name, known[0], facts, now)]


def forget(connection: Connection, name: str, now: datetime) -> None:
    """That trouble is not watched any more; its end is not told."""
    cursors.note_change(connection, _state(name), "", now)


def standing(connection: Connection) -> list[tuple[str, datetime]]:
    """Every trouble that was told and is not over: what it is, in English, and when it was told."""
    found = cursors.states(connection, _state(""))
    return [(_worded(phrase, WORDS["en"]), at) for _, phrase, at in found if phrase]


def _worded(phrase: str, words: Mapping[str, str]) -> str:
    key, _, thing = phrase.partition(" ")
    return words[key].format(thing=words.get(thing, thing))


def _state(name: str) -> str:
    return f"alarm:{name}"


def _tell(
    connection: Connection, office: Office, name: str, phrase: str, more: Mapping[str, Any], now: datetime
) -> Told:
    words, language = words_of(office), language_of(office)
    cure = "" if more["recovered"] else words[f"{phrase.partition(' ')[0]}_cure"]
    facts = {"what": _worded(phrase, words), "cure": cure, "tickets": [], **more}
    text = office.texts.staff("alarm", language, facts)
    if office.options.alarm_address:
        address = office.options.alarm_address
        own_mail.queue(
            connection, office, text, audience="alarm", kind="alarm", recipient=address, language=language, now=now
        )
    event = "alarm_ended" if more["recovered"] else "alarm_raised"
    audit.append(connection, now=now, event=event, actor="mailbot", details={"what": phrase})
    return Told(name=name, recovered=bool(more["recovered"]), text=text)


def local(office: Office, moment: datetime) -> str:
    """A moment as the controller's people write it."""
    at = moment.astimezone(time_zone(office.zone))
    return f"{at.day}.{at.month}.{at.year} {at:%H:%M}"


def words_of(office: Office) -> Mapping[str, str]:
    """The words in the controller's language."""
    return WORDS[language_of(office)]


def language_of(office: Office) -> str:
    """The controller's language where its words are known, English elsewhere."""
    return office.controller.language if office.controller.language in WORDS else "en"
