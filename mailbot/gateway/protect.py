"""Files of a reply locked in a zip with AES, and the passphrase that only staff see and tell by telephone.

The passphrase is made here and never stored or logged by anybody; what it protects against is the wrong reader of the
mail, not one who has years. File names stay readable in a zip, so each file gets the name the caller chose, made safe.
"""

import importlib
import io
import secrets
from collections.abc import Sequence
from typing import Any

from mailbot.errors import BadInputError, ConfigurationError
from mailbot.gateway.credentials import Secret
from mailbot.mail.mime import safe_name

# No vowels (no words arise), neither 0 O nor 1 I L, and one at most of B/P/D/T, F/S, M/N, V/W and 2/Z; no letter that
# Finnish, Swedish and English call by very different names.
ALPHABET = "CFGHKMPR23456789"
GROUPS, GROUP = 5, 4  # 20 characters of 4 bits each: 80 bits


def protect(files: Sequence[tuple[str, bytes]]) -> tuple[bytes, Secret]:
    """The files in one AES-256 zip, and its passphrase in groups of four, as CFGH-2345-…

    Raises BadInputError when there is no file, ConfigurationError when the extra `protect` is missing.
    """
    if not files:
        raise BadInputError("There is no file to protect", "Attach one.")
    library, passphrase = _library(), new_passphrase()
    target = io.BytesIO()
    with library.AESZipFile(
        target, "w", compression=library.ZIP_DEFLATED, encryption=library.WZ_AES, strict_timestamps=False
    ) as archive:
        archive.setpassword(passphrase.reveal().encode("ascii"))
        archive.setencryption(library.WZ_AES, nbits=256)
        for name, content in zip(_names(files), (content for _name, content in files), strict=True):
            archive.writestr(_entry(archive, name, library.ZIP_DEFLATED), content)
    return target.getvalue(), passphrase


def new_passphrase() -> Secret:
    """A passphrase that is easy to say, hear and type."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    return Secret("-".join(groups))


def _names(files: Sequence[tuple[str, bytes]]) -> list[str]:
    """Safe names, each once: a second `copy.pdf` becomes `copy-2.pdf`."""
    taken: list[str] = []
    for given, _content in files:
        name, number = safe_name(given) or "file", 1
        stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
        while name.lower() in (other.lower() for other in taken):
            number += 1
            name = f"{stem}-{number}{dot}{ending}"
        taken.append(name)
    return taken


def _entry(archive: Any, name: str, compression: int) -> Any:
    """No clock and no owner of this machine in the file."""
    entry = archive.zipinfo_cls(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = compression
    entry.external_attr = 0o600 << 16
    return entry


def _library() -> Any:
    try:
        return importlib.import_module("pyzipper")
    except ImportError as error:
        raise ConfigurationError(["protect: the zip needs one more package; install mailbot[protect]"]) from error
