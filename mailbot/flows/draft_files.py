"""The files of a draft: those of the version before that still belong to it, and the new ones, none of them harmful.

A notice to staff, a program and an empty file never leave the house.
"""

from mailbot.core import one_time
from mailbot.core.draft import DraftKind, NeedKind
from mailbot.errors import BadInputError, Reason
from mailbot.flows.plan import Plan, Wish
from mailbot.mail.mime import safe_name
from mailbot.mail.own import HEADER
from mailbot.store import drafts
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft, File

MAX_ATTACHMENTS_BYTES = 20 * 1024 * 1024  # what most mail servers still take once encoded

PROGRAMS = (
    ".exe",
    ".com",
    ".bat",
    ".cmd",
    ".scr",
    ".js",
    ".vbs",
    ".ps1",
    ".msi",
    ".jar",
    ".sh",
    ".lnk",
    ".hta",
    ".pif",
)


def files_of_version(connection: Connection, wish: Wish, before: Draft | None, plan: Plan) -> tuple[File, ...]:
    asked = any(need.kind is NeedKind.ATTACHMENT for need in plan.needs)
    kept = drafts.files(connection, before.id) if before and (asked or wish.kind is not DraftKind.REPLY) else ()
    named: dict[str, File] = {file.name: file for file in kept if file.content}
    for file in wish.files:
        name = safe_name(file.name) or "file"
        check_file(name, file.content)
        named[name] = File(name=name, type=file.type, content=file.content)
    if sum(len(file.content) for file in named.values()) > MAX_ATTACHMENTS_BYTES:
        raise BadInputError(
            Reason(f"the attachments are larger than {MAX_ATTACHMENTS_BYTES // 2**20} MB together", "files_too_large"),
            "Send them another way and tell the requester how, or split them.",
        )
    return tuple(named.values())


def check_file(name: str, content: bytes) -> None:
    """Raises BadInputError for a file that nobody should send: empty, or a program."""
    if not content:
        raise BadInputError(Reason(f"the file {name} is empty", "file_empty", name=name), "Attach the file itself.")
    if one_time.stands_in(content) or HEADER.encode() in content:
        what = Reason(f"the file {name} holds mail to staff", "file_of_ours", name=name)
        raise BadInputError(what, "A notice never leaves the house.")
    if name.lower().endswith(PROGRAMS) or content[:2] == b"MZ" or content[:4] == b"\x7fELF":
        what = Reason(f"the file {name} is a program", "file_program", name=name)
        raise BadInputError(what, "Attach the data as a document.")
