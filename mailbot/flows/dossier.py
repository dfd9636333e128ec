"""One ticket as a zip that an authority can read and check without mailbot: story, mails, entries, how to verify.

The chain's entries of other tickets are in it as bare links (no details), so that every hash can be computed anew from
the first entry to the last.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from mailbot.flows import clock, view
from mailbot.flows.office import Office
from mailbot.store import audit, drafts, messages, outbox, tickets
from mailbot.store.database import Connection

VERIFY = """How to check this dossier without mailbot

chain.jsonl holds every entry of the audit chain, one JSON object a line, oldest first.
For each entry compute SHA-256 over this JSON text (no spaces):
  [seq,at,event,reference,actor,detail_digest,previous]
It must equal the entry's "hash", and "previous" must equal the hash of the line before
(64 zeros for the first). An entry with "salt" and "detail": SHA-256 over
salt + NUL byte + detail must equal "detail_digest".
The last hash is the chain's root; staff have had it in their digests.

In Python:
  import hashlib, json
  previous = "0" * 64
  for line in open("chain.jsonl", encoding="utf-8"):
      e = json.loads(line)
      text = json.dumps([e["seq"], e["at"], e["event"], e["reference"], e["actor"],
                         e["detail_digest"], e["previous"]], separators=(",", ":"))
      assert e["previous"] == previous
      assert hashlib.sha256(text.encode()).hexdigest() == e["hash"]
      if "detail" in e:
          assert hashlib.sha256((e["salt"] + "\\0" + e["detail"]).encode()).hexdigest() == e["detail_digest"]
      previous = e["hash"]
  print("whole", previous)
"""


class Printer(Protocol):
    """Makes a document of pages; `gateway/letters.py` keeps this promise."""

    def __call__(self, title: str, text: str, *, language: str, day: date) -> bytes: ...


def dossier(
    connection: Connection, office: Office, reference: str, *, now: datetime, printer: Printer | None = None
) -> tuple[str, bytes]:
    """The reference as written and the bytes of the zip; with a printer the story is a PDF too.

    Raises BadInputError when there is no such ticket.
    """
    found = view.ticket_view(connection, office, reference, clock.today(office, now))
    ticket = tickets.by_reference(connection, reference)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ticket.json", json.dumps(found, ensure_ascii=False, indent=2, default=str))
        archive.writestr("story.txt", "\n".join(view.lines(found)) + "\n")
        if printer is not None:
            day, title = clock.today(office, now), f"{office.controller.organisation.name}: {ticket.reference}"
            count, root = audit.root(connection)
            text = story(found) + f"\n\nThe audit chain had {count} entries; its root is {root}.\n"
            archive.writestr("dossier.pdf", printer(title, text, language="en", day=day))
        for item in messages.of_ticket(connection, ticket.id):
            raw = messages.raw(connection, item.id)
            if raw is not None:
                archive.writestr(f"mails/{item.id:06d}-{item.direction}.eml", raw)
        for mail in outbox.of_ticket(connection, ticket.id):
            if mail.audience == "data_subject" and mail.raw is not None:
                archive.writestr(f"mails/sent-{mail.id:06d}-{mail.kind}.eml", mail.raw)
        for draft in drafts.of_ticket(connection, ticket.id):
            for place, file in enumerate(drafts.files(connection, draft.id)):
                if file.content:
                    archive.writestr(f"attachments/{draft.id:06d}-{place}-{file.name}", file.content)
        archive.writestr("chain.jsonl", "".join(_chain(connection, ticket.reference)))
        archive.writestr("VERIFY.txt", VERIFY)
    return ticket.reference, out.getvalue()


def story(found: Mapping[str, Any]) -> str:
    """What happened, under headings, for people who read paper."""
    who, deadline = found["requester"], found["deadline"]
    blocks = [
        _headed("Requester", [who["name"], who["address"], f"by {found['channel']}, in {found['language']}"]),
        _headed("Requests", [_request(item) for item in found["requests"]]),
        _headed("Dates", [f"received {found['received_at']}", f"due {deadline['due_on']}", deadline["explanation"]]),
        _headed("Duties", [f"{'done' if item['done'] else 'open'}: {item['text']}" for item in found["tasks"]]),
    ]
    for item in found["messages"]:
        way = "received" if item["direction"] == "in" else "sent"
        names = [f"attachment: {file['name']}" for file in item["attachments"]]
        blocks += [_headed(f"{way} {item['received_at']}: {item['subject']}", names), item["text"].strip()]
    moments = [f"{entry['at'][:19]} UTC: {entry['event']} ({entry['actor']})" for entry in found["timeline"]]
    blocks.append(_headed("Timeline", [f"- {line}" for line in moments]))
    return "\n\n".join(block for block in blocks if block)


def _request(item: Mapping[str, Any]) -> str:
    ground = f", ground: {item['ground']}" if item["ground"] else ""
    return f"- {item['right']}: {item['outcome'] or item['status']}{ground}"


def _headed(title: str, lines: Iterable[str]) -> str:
    return "\n".join([title.replace("\n", " "), "---", *(line for line in lines if line)])


def _chain(connection: Connection, reference: str) -> list[str]:
    lines = []
    for told in audit.chain(connection):
        entry: dict[str, Any] = {
            "seq": told.entry.seq,
            "at": told.entry.at.isoformat(),
            "event": told.entry.event,
            "reference": told.entry.reference,
            "actor": told.entry.actor,
            "detail_digest": told.entry.detail_digest,
            "previous": told.entry.previous,
            "hash": told.entry.hash,
        }
        if told.entry.reference == reference and told.detail is not None:
            entry |= {"salt": told.salt, "detail": told.detail}
        lines.append(json.dumps(entry, ensure_ascii=False) + "\n")
    return lines
