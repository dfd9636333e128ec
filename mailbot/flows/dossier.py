"""One ticket as a zip that an authority can read and check without mailbot: story, mails, entries, how to verify.

The chain's entries of other tickets are in it as bare links (no details), so that every hash can be computed anew from
the first entry to the last.
"""

import io
import json
import zipfile
from datetime import datetime
from typing import Any

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


def dossier(connection: Connection, office: Office, reference: str, *, now: datetime) -> tuple[str, bytes]:
    """The reference as written and the bytes of the zip.

    Raises BadInputError when there is no such ticket.
    """
    found = view.ticket_view(connection, office, reference, clock.today(office, now))
    ticket = tickets.by_reference(connection, reference)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ticket.json", json.dumps(found, ensure_ascii=False, indent=2, default=str))
        archive.writestr("story.txt", "\n".join(view.lines(found)) + "\n")
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
