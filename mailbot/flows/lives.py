"""What whoever connects saw that ends by itself: certificates and tokens, with their last moment (`ends.py` judges it).

A new certificate or token replaces what was noted. Nothing is told here, so that every connection can afford it.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from mailbot.core.life import Life
from mailbot.flows.office import Office
from mailbot.store import cursors
from mailbot.store.database import Connection


def note(office: Office, lives: Iterable[Life], *, now: datetime) -> None:
    """Writes down what was seen at a connection; nothing when nothing has changed."""
    given = tuple(lives)
    if not given:
        return
    with office.database.read() as connection:
        changed = [life for life in given if noted(connection, life.name) != life]
    if changed:
        with office.database.write() as connection:
            for life in changed:
                value = json.dumps([life.begins_at.isoformat(), life.ends_at.isoformat()])
                cursors.note_state(connection, _state(life.name), value, now)


def noted(connection: Connection, name: str) -> Life | None:
    """What was seen of it last, None when nothing was."""
    found = cursors.read_state(connection, _state(name))
    if found is None:
        return None
    begins, ends = (datetime.fromisoformat(moment) for moment in json.loads(found[0]))
    return Life(name=name, begins_at=begins, ends_at=ends)


def _state(name: str) -> str:
    return f"ends:{name}"
