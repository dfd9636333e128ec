"""What ends by itself (certificates, tokens, secrets) is told while there is time to renew it.

Whoever connects notes what it saw; the canary judges it later, in a process that needs neither network nor secret. A
new certificate or token replaces what was noted, and ends the alarm.
"""

from collections.abc import Iterable
from datetime import datetime

from mailbot.core.life import Life
from mailbot.flows import alarms
from mailbot.flows.alarms import Told
from mailbot.flows.lives import noted
from mailbot.flows.office import Office
from mailbot.store.database import Connection


def judge(
    connection: Connection, office: Office, watched: Iterable[str], known: Iterable[Life], *, now: datetime
) -> list[Told]:
    """Tells of what is near its end. `watched` was noted at connections, `known` stands in the configuration."""
    told: list[Told] = []
    seen = (noted(connection, name) for name in watched)
    for life in (*(life for life in seen if life is not None), *known):
        name = f"ends {life.name}"
        if life.near_end(now):
            last = alarms.words_of(office)["last_moment"].format(moment=alarms.local(office, life.ends_at))
            told += alarms.trouble(connection, office, name, f"ending {life.name}", now=now, details=[last])
        else:
            told += alarms.recovered(connection, office, name, now=now)
    return told
