"""A test mail proves that the address still works; when it does not come, or a duty has stopped, people hear of it.

One test mail travels at a time, known by its HMAC and its Message-ID: a copy of an older one proves nothing. It is sent
only when the configuration says so. Trouble is told once when it begins and once when it is over, to the alarm address,
never to the mailbox that may be dead (`alarms`). Certificates, tokens and secrets near their end are told too (`ends`).
A machine that was off is no trouble: nothing is late before it has been awake for its whole time.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.core.letter import Text
from mailbot.errors import ConfigurationError
from mailbot.flows import alarms, ends, own_mail
from mailbot.flows.alarms import Told
from mailbot.flows.duties import POLLED, SERVER_AWAY, STUCK, UNDONE, UNOPENED, Plan
from mailbot.flows.office import Office
from mailbot.mail.own import Origin
from mailbot.store import cursors, outbox
from mailbot.store.database import Connection

KIND = "canary"  # in our header, and the audience of its outbox row
SENT, ARRIVED = "canary_sent", "canary_arrived"  # states: the Message-ID, and when


@dataclass(kw_only=True)
class Round:
    """What one round did."""

    sent: bool = False
    waiting: bool = False  # a test mail is on its way and still has time
    told: list[Told] = field(default_factory=list)


def canary(office: Office, plan: Plan, *, now: datetime, awake_since: datetime | None = None) -> Round:
    """One look: judges what should have come, tells what changed, sends the next test mail when it is due.

    `awake_since` is when this machine was started or woke up. Raises TryLaterError while another round runs,
    ConfigurationError when it is enabled and knows no address.
    """
    if plan.enabled and not plan.address:
        raise ConfigurationError(["canary.address: is missing; give the public address of the mailbox"])
    done = Round()
    with office.database.exclusively(KIND), office.database.write() as connection:
        if plan.enabled:
            _judge_canary(connection, office, plan, done, now, awake_since)
            _send_when_due(connection, office, plan, done, now)
        else:
            _forget(connection, now)
        _judge_duties(connection, office, plan, done, now, awake_since)
        _judge_lists(connection, office, plan, done, now)
        done.told += ends.judge(connection, office, plan.watched, plan.known, now=now)
    return done


def arrived(connection: Connection, origin: Origin, now: datetime) -> bool:
    """A test mail of ours lies in the mailbox; True when it is the one that is waited for. Called by intake."""
    sent = cursors.read_state(connection, SENT)
    if origin.kind != KIND or sent is None or sent[0] != origin.message_id:
        return False
    if not _is_back(connection, sent[0]):
        cursors.note_state(connection, ARRIVED, origin.message_id, now)
    return True


def may_be_deleted(origin: Origin | None) -> bool:
    """True only for a test mail whose HMAC covers the very Message-ID it has: nothing else is ever cleaned up."""
    return origin is not None and origin.kind == KIND and not origin.rewritten


def _is_back(connection: Connection, message_id: str) -> bool:
    found = cursors.read_state(connection, ARRIVED)
    return found is not None and found[0] == message_id


def _judge_canary(
    connection: Connection, office: Office, plan: Plan, done: Round, now: datetime, awake_since: datetime | None
) -> None:
    sent = cursors.read_state(connection, SENT)
    if sent is None or not sent[0]:
        return
    if _is_back(connection, sent[0]):
        done.told += alarms.recovered(connection, office, KIND, now=now)
    elif now - _from(sent[1], awake_since) > plan.wait:
        left = any(mail.state == "sent" for mail in outbox.by_message_ids(connection, [sent[0]]))
        phrase = "canary_lost" if left else "canary_unsent"
        done.told += alarms.trouble(connection, office, KIND, phrase, now=now, since=sent[1])
    else:
        done.waiting = True


def _judge_duties(
    connection: Connection, office: Office, plan: Plan, done: Round, now: datetime, awake_since: datetime | None
) -> None:
    for name, limit in plan.limits.items():
        last = _oldest_unsent(connection, now) if name == STUCK else _last_round(connection, name)
        if last is not None and now - _from(last, awake_since) > limit:
            done.told += alarms.trouble(connection, office, name, name, now=now, since=last)
        elif last is not None or name == STUCK:
            done.told += alarms.recovered(connection, office, name, now=now)


def _judge_lists(connection: Connection, office: Office, plan: Plan, done: Round, now: datetime) -> None:
    """A folder that was renamed or removed, or a keyword that the server refuses, however well the rest is."""
    for name in (UNOPENED, UNDONE):
        found = cursors.read_state(connection, name)
        if found is None or not found[0]:
            done.told += alarms.recovered(connection, office, name, now=now)
        elif now - found[1] > plan.limits.get(POLLED, timedelta(hours=1)):
            lines = found[0].split("\n")
            done.told += alarms.trouble(connection, office, name, name, now=now, since=found[1], details=lines)


def _last_round(connection: Connection, name: str) -> datetime | None:
    found = cursors.read_state(connection, name)
    return found[1] if found else None


def _oldest_unsent(connection: Connection, now: datetime) -> datetime | None:
    """Since when a mail waits whose time has come (a sender that lives would have tried it and set a later time), or
    since when one lives that no server listens to."""
    moments = [mail.next_at for mail in outbox.due(connection, now)]
    away = cursors.read_state(connection, SERVER_AWAY)
    if away is not None and away[0] and outbox.waiting(connection):
        moments.append(away[1])
    return min(moments, default=None)


def _from(moment: datetime, awake_since: datetime | None) -> datetime:
    return moment if awake_since is None else max(moment, awake_since)


def _send_when_due(connection: Connection, office: Office, plan: Plan, done: Round, now: datetime) -> None:
    sent = cursors.read_state(connection, SENT)
    if sent is not None and sent[0]:
        set_back = sent[1] > now  # the clock was: the interval would never end
        if done.waiting or (now - sent[1] < plan.interval and not set_back):
            return
        _cancel(connection, sent[0], now)
    message_id = own_mail.new_message_id(office)
    words = alarms.words_of(office)
    text = Text(subject=words["subject"], body=words["body"])
    own_mail.queue(
        connection,
        office,
        text,
        audience=KIND,
        kind=KIND,
        recipient=plan.address,
        language=alarms.language_of(office),
        now=now,
        message_id=message_id,
    )
    cursors.note_state(connection, SENT, message_id, now)
    done.sent, done.waiting = True, True


def _cancel(connection: Connection, message_id: str, now: datetime) -> None:
    """An older test mail that never left would only prove the past."""
    for mail in outbox.by_message_ids(connection, [message_id]):
        if mail.state == "queued":
            outbox.end(connection, mail.id, "cancelled", now)


def _forget(connection: Connection, now: datetime) -> None:
    """Switched off: what was on its way is not waited for, and switching on again begins anew."""
    sent = cursors.read_state(connection, SENT)
    if sent is not None and sent[0]:
        _cancel(connection, sent[0], now)
        cursors.note_state(connection, SENT, "", now)
        alarms.forget(connection, KIND, now)
