"""Mail of ours that came back: a reply that was lost opens its ticket again, mail to staff alarms the others.

Only a report of a final failure counts, and a second one about the same mail tells nothing new.
"""

from datetime import datetime

from mailbot.core.message import Message
from mailbot.core.ticket import Event
from mailbot.flows import own_mail
from mailbot.flows.arrival import Judged
from mailbot.flows.deliver import reply_lost
from mailbot.flows.office import Office
from mailbot.flows.opening import store_message
from mailbot.mail.automatic import Bounce, bounced
from mailbot.mail.own import origin_of
from mailbot.store import audit, outbox
from mailbot.store.database import Connection
from mailbot.store.outbox import Outgoing


def came_back(connection: Connection, office: Office, message: Message) -> Outgoing | None:
    """The mail of ours that a bounce returns: by its Message-ID, by our mark where a relay rewrote that, or the newest
    reply that went to the recipient it names."""
    report = bounced(message)
    if report is None:
        return None
    marked = origin_of(office.key, report.origin)
    ids = [report.original_message_id, marked.message_id if marked else ""]
    ours = outbox.by_message_ids(connection, ids)
    if ours or report.original_message_id:
        return next(iter(ours), None)
    return outbox.newest_to(connection, report.recipient) if report.recipient else None


def mail_came_back(connection: Connection, office: Office, judged: Judged, now: datetime) -> None:
    """What follows from a final report about a mail of ours; nothing from any other."""
    report, found = bounced(judged.message), came_back(connection, office, judged.message)
    if not report or not found or not _is_final(report):
        return
    mail, reason = outbox.by_id(connection, found.id, lock=True), report.diagnostic or report.status
    if mail.audience == "data_subject":
        if mail.state != "failed":  # a second report about the same mail tells nothing new
            reply_lost(connection, office, mail, reason, now, Event.REPLY_BOUNCED)
            outbox.end(connection, mail.id, "failed", now)
        store_message(connection, judged, judged.ticket_id or 0, "bounce")
    elif mail.state != "failed":
        outbox.end(connection, mail.id, "failed", now)
        audit.append(connection, now=now, event="staff_bounce", actor="mailbot", details={"reason": reason})
        own_mail.staff_unreachable(connection, office, mail.recipient, reason, now)
        own_mail.alarm(connection, office, f"mail to staff {mail.recipient} comes back: {reason}", now=now)


def _is_final(report: Bounce) -> bool:
    """True when the server will not try again (RFC 3464 2.3.3, RFC 3463 2)."""
    return report.action in ("", "failed") and not report.status.startswith("4")
