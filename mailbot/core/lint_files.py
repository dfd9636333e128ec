"""What can be told of an attachment from its name and first bytes: empty, misnamed, protected, readable by machine.

Only bytes that are given are looked at; nothing is unpacked but the directory of a zip, and nothing is ever run.
"""

import io
import zipfile
from dataclasses import dataclass

MAGIC = {  # what a file of that name begins with
    ".pdf": (b"%PDF-",),
    ".zip": (b"PK\x03\x04", b"PK\x05\x06"),
    ".docx": (b"PK\x03\x04",),
    ".xlsx": (b"PK\x03\x04",),
    ".odt": (b"PK\x03\x04",),
    ".ods": (b"PK\x03\x04",),
    ".png": (b"\x89PNG",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".gif": (b"GIF8",),
}
TEXTS = (".txt", ".csv", ".tsv", ".json", ".xml", ".vcf", ".md", ".html", ".htm", ".ics", ".log", ".yaml")
MACHINE_READABLE = (".csv", ".tsv", ".json", ".xml", ".vcf", ".ics", ".yaml", ".xlsx", ".ods")
_MOST = 2_000_000  # bytes of a text that are looked through


@dataclass(frozen=True, kw_only=True)
class File:
    """An attachment with its bytes."""

    name: str
    content: bytes


def ending(name: str) -> str:
    """ ".pdf" of "Copy.PDF"; "" when there is none."""
    _, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot else ""


def is_empty(file: File) -> bool:
    """Nothing in it but white space, or a zip without files."""
    return not file.content.strip() or (ending(file.name) == ".zip" and not _zip_names(file))


def is_misnamed(file: File) -> bool:
    """Its bytes are of another kind than its name says."""
    kind = ending(file.name)
    if is_empty(file):
        return False
    if kind in MAGIC:
        return not file.content.startswith(MAGIC[kind])
    if kind in TEXTS:
        return b"\x00" in file.content[:4096] or any(
            file.content.startswith(start) for name, starts in MAGIC.items() if name != ".gif" for start in starts
        )
    return False


def is_protected(file: File) -> bool:
    """A zip whose files are all encrypted."""
    infos = _zip_infos(file)
    return bool(infos) and all(info.flag_bits & 1 for info in infos)


def machine_readable(file: File) -> bool:
    """A structured, commonly used format, or a protected zip that may hold one."""
    return ending(file.name) in MACHINE_READABLE or any(ending(name) in MACHINE_READABLE for name in _zip_names(file))


def text_of(file: File) -> str:
    """The text of a text file; "" for any other."""
    if ending(file.name) not in TEXTS:
        return ""
    try:
        return file.content[:_MOST].decode("utf-8")
    except UnicodeDecodeError:
        return file.content[:_MOST].decode("cp1252", "replace")


def _zip_infos(file: File) -> list[zipfile.ZipInfo]:
    if not file.content.startswith(b"PK"):
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            return [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return []


def _zip_names(file: File) -> list[str]:
    return [info.filename for info in _zip_infos(file)]
