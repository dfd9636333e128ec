"""Protected files open with the passphrase and with nothing else."""

import io
import math
import re
import sys
import zipfile

import pytest
import pyzipper

from mailbot.errors import BadInputError, ConfigurationError
from mailbot.gateway.protect import ALPHABET, GROUP, GROUPS, new_passphrase, protect

COPY = b"the copy of the data of a person " * 40


def opened(raw: bytes, passphrase: str) -> dict[str, bytes]:
    with pyzipper.AESZipFile(io.BytesIO(raw)) as archive:
        archive.setpassword(passphrase.encode())
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_passphrase_opens_the_files() -> None:
    """Every file comes out as it went in, whatever its name and size."""
    files = [("tiedot åäö.pdf", COPY), ("empty.txt", b""), ("large.bin", bytes(range(256)) * 4096)]
    raw, passphrase = protect(files)
    assert opened(raw, passphrase.reveal()) == dict(files)


@pytest.mark.parametrize("wrong", ["", "CFGH-CFGH-CFGH-CFGH-CFGH"])
def test_nothing_else_opens_them(wrong: str) -> None:
    """A wrong passphrase or none is refused."""
    raw, _passphrase = protect([("copy.txt", COPY)])
    with pytest.raises(RuntimeError, match=r"[Pp]assword"):
        opened(raw, wrong)


def test_every_file_is_encrypted_with_aes_256() -> None:
    """The old, broken zip encryption is not used, and no byte of the content is readable."""
    raw, _passphrase = protect([("a.txt", COPY), ("b.txt", COPY)])
    assert b"copy of the data" not in raw
    with pyzipper.AESZipFile(io.BytesIO(raw)) as archive:
        for entry in archive.infolist():
            assert entry.flag_bits & 0x1
            assert (entry.wz_aes_strength, entry.compress_type) == (3, pyzipper.ZIP_DEFLATED)
    with zipfile.ZipFile(io.BytesIO(raw)) as plain:
        assert {entry.compress_type for entry in plain.infolist()} == {99}  # the mark of AES in a zip


def test_each_zip_has_a_passphrase_of_its_own() -> None:
    """Two hundred passphrases are all different, of at least 80 bits."""
    made = {new_passphrase().reveal() for _ in range(200)}
    assert len(made) == 200
    assert GROUPS * GROUP * math.log2(len(ALPHABET)) >= 80


def test_a_passphrase_can_be_told_by_telephone() -> None:
    """Short groups of characters that are not mistaken for one another."""
    assert re.fullmatch(r"(?:[A-Z2-9]{4}-){4}[A-Z2-9]{4}", new_passphrase().reveal())
    assert len(set(ALPHABET)) == len(ALPHABET) == 16
    for alike in ("0O", "1IL", "BPDT", "FS", "MN", "VW", "2Z"):
        assert len(set(alike) & set(ALPHABET)) <= 1


def test_a_passphrase_shows_itself_to_nobody_by_accident() -> None:
    """Printing or logging it shows stars."""
    _raw, passphrase = protect([("copy.txt", COPY)])
    assert passphrase.reveal() not in f"{passphrase} {passphrase!r}"


def test_names_are_safe_and_each_file_stays() -> None:
    """A path can not leave the folder it is unpacked in, and files of one name do not hide each other."""
    raw, passphrase = protect([("../../etc/passwd", b"1"), ("copy.pdf", b"2"), ("Copy.PDF", b"3"), ("", b"4")])
    found = opened(raw, passphrase.reveal())
    assert found == {"passwd": b"1", "copy.pdf": b"2", "Copy-2.PDF": b"3", "file": b"4"}


def test_the_zip_says_nothing_of_the_machine() -> None:
    """No date and no owner's rights beyond reading stand in it."""
    raw, _passphrase = protect([("copy.txt", COPY)])
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        (entry,) = archive.infolist()
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert entry.external_attr >> 16 == 0o600


def test_nothing_to_protect_is_refused() -> None:
    """An empty zip would look like an answer."""
    with pytest.raises(BadInputError, match="no file"):
        protect([])


def test_without_the_extra_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain installation says which extra to install."""
    monkeypatch.setitem(sys.modules, "pyzipper", None)
    with pytest.raises(ConfigurationError, match=r"install mailbot\[protect\]"):
        protect([("copy.txt", COPY)])
