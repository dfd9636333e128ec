"""The answer to a command mail: what was done, or what was understood and how to say it.

It is capped for each address and hour, and lower for the same words again (RFC 3834 5); an answer shows what now waits
for approval and brings the token for it. Approved replies know no cap.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from mailbot.core.command_values import Commands
from mailbot.core.draft import DraftState
from mailbot.errors import MailbotError
from mailbot.flows import notify, own_mail
from mailbot.flows.decide import Done
from mailbot.flows.prepare import finding_in
from mailbot.flows.staff_case import Case
from mailbot.store import audit, drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft

SAME_AGAIN = 3  # answers to the same words under the same subject within an hour; more is a machine (RFC 3834 5)


def answer(
    connection: Connection,
    case: Case,
    *,
    done: Sequence[Done] = (),
    unclear: str = "",
    understood: Commands | None = None,
    asks_outside: bool = False,
) -> None:
    """The result of a command mail, with what waits for approval and a new token; capped for each address and hour.

    What waits is shown with the difference to what stood in the mail that was answered, however many versions the
    commands of that one mail made. An approval that was not carried out is named.
    """
    office, now = case.office, case.now
    if not _may_answer(connection, case):
        return
    ticket = tickets.by_id(connection, case.ticket.id)
    made = next((item.draft for item in reversed(done) if item.draft is not None), None)
    heard = understood.heard if understood else ()
    dropped = bool(understood and understood.dropped and done)
    facts = {
        "done": [line(item, case.words, office.texts.words(case.person.language)) for item in done],
        "unclear": unclear,
        "understood": [action.value for action in heard],
        "next": [str(case.words["approval_dropped"])] if dropped else [],
    }
    notify.tell(
        connection,
        office,
        ticket,
        "command_result",
        now=now,
        to=[case.person],
        facts=facts,
        main=_still_pending(connection, made),
        in_reply_to=case.message.message_id,
        asks_outside=asks_outside,
        seen=case.token.drafts.values() if case.token else (),
    )


def explained(error: MailbotError, words: Mapping[str, Any]) -> str:
    """Why nothing was done, in the language of `words`; in the program's own words where it has no others."""
    staff = words["staff"]
    said = []
    for reason in error.reasons:
        facts = dict(reason.facts)
        for name, table in (("status", "statuses"), ("draft", "drafts")):
            facts |= {name: staff[table].get(facts[name], facts[name])} if name in facts else {}
        if blocked := [item for item in facts.get("findings", ()) if item["severity"] == "block"]:
            facts["findings"] = " ".join(finding_in(item, words) for item in blocked)
        said.append(str(staff["trouble"][reason.key]).format(**facts))
    return " ".join(said) or str(staff["trouble"]["other"]).format(why=error)


def _may_answer(connection: Connection, case: Case) -> bool:
    """Counts one answer. A cap holds for each address and hour, a lower one for the same words again (RFC 3834 5).

    The answer that reaches the cap says so, to all staff, and is the last one; approved replies know no cap.
    """
    office, now, address = case.office, case.now, case.person.address
    hour = now - timedelta(hours=1)
    words = f"{case.message.subject}\n{case.message.visible_text}"
    same = f"{address} {outbox.hashed(words)}"
    had, again = (outbox.answers_between(connection, name, hour, now) for name in (address, same))
    if had >= office.options.staff_answers_per_hour or again >= SAME_AGAIN:
        return False
    for name in (address, same):
        outbox.note_answer(connection, name, case.ticket.reference, now)
    if had + 1 < office.options.staff_answers_per_hour:
        return True
    audit.append(connection, now=now, event="answers_capped", actor="mailbot", reference=case.ticket.reference)
    own_mail.alarm_staff(connection, office, office.active_staff(), ("trouble", "limit"), address, "", now)
    return False


def _still_pending(connection: Connection, draft: Draft | None) -> Draft | None:
    if draft is None:
        return None
    fresh = drafts.by_id(connection, draft.id)
    return fresh if fresh.state is DraftState.PENDING else None


def line(done: Done, words: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    """What a decision did, in one line of the reader's language."""
    what = "approved_paper" if done.what == "approved" and not done.ticket.requester_address else done.what
    template = str(words["done"].get(what, what))
    said = template.format(
        draft=words["drafts"].get(done.detail, done.detail),
        detail=done.detail,
        rights=", ".join(str(names["rights"][right.value]) for right in done.ticket.rights),
        status=words["statuses"][done.ticket.status.value],
        due_on=f"{done.ticket.due_on.day}.{done.ticket.due_on.month}.{done.ticket.due_on.year}",
    )
    return f"{said}; {words['done']['sending_begun']}" if done.sending_begun else said
