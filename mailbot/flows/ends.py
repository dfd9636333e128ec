"""What ends by itself (certificates, tokens, secrets) is told while there is time to renew it.

Whoever connects notes what it saw; the canary judges it later, in a process that needs neither network nor secret. A
new certificate or token replaces what was noted, and ends the alarm.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from mailbot.core.life import Life
from mailbot.flows import alarms
from mailbot.flows.alarms import Told
from mailbot.flows.office import Office
from mailbot.store import cursors
from mailbot.store.database import Connection


def note(office: Office, lives: Iterable[Life], *, now: datetime) -> None:
    """Writes down what was seen at a connection; nothing when nothing has changed."""
    given = tuple(lives)
    if not given:
        return
    with office.database.read() as connection:
        changed = [life for life in given if _noted(connection, life.name) != life]
    if changed:
        with office.database.write() as connection:
            for life in changed:
                value = json.dumps([life.begins_at.isoformat(), life.ends_at.isoformat()])
                cursors.note_state(connection, _state(life.name), value, now)


def judge(
    connection: Connection, office: Office, watched: Iterable[str], known: Iterable[Life], *, now: datetime
) -> list[Told]:
    """Tells of what is near its end. `watched` was noted at connections, `known` stands in the configuration."""
    told: list[Told] = []
    seen = (_noted(connection, name) for name in watched)
    for life in (*(life for life in seen if life is not None), *known):
        name = f"ends {life.name}"
        if life.near_end(now):
            last = alarms.words_of(office)["last_moment"].format(moment=alarms.local(office, life.ends_at))
            told += alarms.trouble(connection, office, name, f"ending {life.name}", now=now, details=[last])
        else:
            told += alarms.recovered(connection, office, name, now=now)
    return told


def _noted(connection: Connection, name: str) -> Life | None:
    found = cursors.read_state(connection, _state(name))
    if found is None:
        return None
    begins, ends = (datetime.fromisoformat(moment) for moment in json.loads(found[0]))
    return Life(name=name, begins_at=begins, ends_at=ends)


def _state(name: str) -> str:
    return f"ends:{name}"
