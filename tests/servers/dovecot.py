"""A real Dovecot from a temporary folder, on a free loopback port, as root or as an ordinary user.

Every user name logs in with the password `Dovecot.PASSWORD` and has a mailbox of its own. What a test puts in is put in
over IMAP; nothing is faked. The folder must be short: unix sockets allow about 100 characters.
"""

import contextlib
import grp
import imaplib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType

_CONFIG_23 = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail/%u
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""

_CONFIG_24 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols {{
  imap = yes
}}
listen = 127.0.0.1
ssl = no
auth_allow_cleartext = yes
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_driver = maildir
mail_path = {folder}/mail/%{{user}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {group}
    home = {folder}/mail/%{{user}}
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


def _program() -> str | None:
    return shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Dovecot:
    """A context manager: `with Dovecot() as server:` runs it, leaving stops it and removes what it made."""

    PASSWORD = "secret"
    HOST = "127.0.0.1"

    def __init__(self, folder: Path | None = None) -> None:
        self._made = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="dc", dir="/tmp"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def missing() -> str | None:
        """Why it cannot run here; None when it can."""
        program = _program()
        if program is None:
            return "dovecot is not installed"
        imap = [Path("/usr/lib/dovecot/imap"), Path("/usr/libexec/dovecot/imap")]
        return None if any(path.exists() for path in imap) else "dovecot is installed without IMAP (dovecot-imapd)"

    def __enter__(self) -> "Dovecot":
        self._prepare()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()  # a polite end takes a second, and nothing is kept
        if self._made:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -------------------------------------------------------------------------------- life

    def start(self) -> None:
        """Start it with what the folder holds; returns when it answers. Call it again after stop() or kill()."""
        program = _program()
        assert program is not None, "ask Dovecot.missing() first"
        for _ in range(3):
            self._write_config(program)
            command = [program, "-F", "-c", str(self.folder / "d.conf")]
            output = (self.folder / "out").open("ab")
            with output:
                self._process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
            if self._answers():
                return
            self.kill()
            self.port = free_port()
        log = "".join(path.read_text(errors="replace")[-2000:] for path in self._logs())
        raise RuntimeError(f"Dovecot did not start: {log}")

    def stop(self) -> None:
        """End it as an administrator would (SIGTERM)."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything it started at once, as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        children = _descendants(self._process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, how)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process = None

    def _answers(self) -> bool:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                return False
            try:
                with socket.create_connection((self.HOST, self.port), timeout=5) as probe:
                    if probe.recv(64).startswith(b"* OK"):
                        return True
            except OSError:
                pass
            time.sleep(0.01)
        return False

    def _prepare(self) -> None:
        self.folder.chmod(0o755)
        mail = self.folder / "mail"
        mail.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            user, group = self._account()
            shutil.chown(mail, user, group)

    def _account(self) -> tuple[str, str]:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            return nobody.pw_name, grp.getgrgid(nobody.pw_gid).gr_name
        return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name

    def _write_config(self, program: str) -> None:
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.match(r"(\d+)\.(\d+)", version)
        modern = found is not None and (int(found[1]), int(found[2])) >= (2, 4)
        user, group = self._account()
        config = (_CONFIG_24 if modern else _CONFIG_23).format(
            folder=self.folder, user=user, group=group, port=self.port, password=self.PASSWORD
        )
        (self.folder / "d.conf").write_text(config)

    def _logs(self) -> list[Path]:
        return [path for path in (self.folder / "log", self.folder / "out") if path.exists()]

    # -------------------------------------------------------------------------------- mailboxes

    @contextlib.contextmanager
    def session(self, user: str = "privacy@example.com") -> Iterator[imaplib.IMAP4]:
        """A logged-in connection of the standard library."""
        client = imaplib.IMAP4(self.HOST, self.port, timeout=10)
        try:
            client.login(user, self.PASSWORD)
            yield client
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()

    def append(
        self,
        raw: bytes,
        folder: str = "INBOX",
        internaldate: datetime | None = None,
        *,
        user: str = "privacy@example.com",
        flags: str = "",
    ) -> int:
        """Put a message into a folder, with the bytes and the moment given (aware); returns its UID."""
        moment = imaplib.Time2Internaldate(internaldate) if internaldate else None
        with self.session(user) as client:
            answer = client.append(_quoted(folder), flags, moment, _crlf(raw))
            _check(answer)
            found = re.search(rb"APPENDUID \d+ (\d+)", answer[1][0])
            assert found is not None, answer
            return int(found[1])

    def create(self, folder: str, *, user: str = "privacy@example.com") -> None:
        """Make a folder."""
        with self.session(user) as client:
            _check(client.create(_quoted(folder)))

    def renew(self, folder: str, *, user: str = "privacy@example.com") -> None:
        """Delete a folder and make it again, empty: its UIDVALIDITY becomes another."""
        with self.session(user) as client:
            _check(client.delete(_quoted(folder)))
            time.sleep(1.1)  # Dovecot's UIDVALIDITY counts seconds
            _check(client.create(_quoted(folder)))

    def delete(self, uid: int, folder: str = "INBOX", *, user: str = "privacy@example.com") -> None:
        """Remove one message for good."""
        with self.session(user) as client:
            _check(client.select(_quoted(folder)))
            client.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)")
            _check(client.expunge())

    def set_flags(self, uid: int, flags: str, folder: str = "INBOX", *, user: str = "privacy@example.com") -> None:
        """Add flags as a human's program would: r"\\Answered"."""
        with self.session(user) as client:
            _check(client.select(_quoted(folder)))
            _check(client.uid("STORE", str(uid), "+FLAGS", f"({flags})"))

    def flags(self, folder: str = "INBOX", *, user: str = "privacy@example.com") -> dict[int, tuple[str, ...]]:
        """UID to flags, sorted and without the session's own \\Recent, without changing any."""
        found: dict[int, tuple[str, ...]] = {}
        for line in self._fetch(folder, "(UID FLAGS)", user):
            text = line if isinstance(line, bytes) else line[0]
            uid, held = re.search(rb"UID (\d+)", text), re.search(rb"FLAGS \(([^)]*)\)", text)
            if uid and held:
                flags = (flag for flag in held[1].decode().split() if flag != "\\Recent")
                found[int(uid[1])] = tuple(sorted(flags))
        return found

    def messages(self, folder: str = "INBOX", *, user: str = "privacy@example.com") -> dict[int, bytes]:
        """UID to bytes, without marking anything as read."""
        found: dict[int, bytes] = {}
        for line in self._fetch(folder, "(UID BODY.PEEK[])", user):
            if isinstance(line, tuple):
                uid = re.search(rb"UID (\d+)", line[0])
                assert uid is not None, line[0]
                found[int(uid[1])] = line[1]
        return found

    def users(self) -> list[str]:
        """Users who have a mailbox, that is, who have logged in."""
        return sorted(path.name for path in (self.folder / "mail").iterdir() if path.is_dir())

    def _fetch(self, folder: str, what: str, user: str) -> list[bytes | tuple[bytes, bytes]]:
        with self.session(user) as client:
            _check(client.select(_quoted(folder), readonly=True))
            answer = client.uid("FETCH", "1:*", what)
            _check(answer)
            return [line for line in answer[1] if line is not None]


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _crlf(raw: bytes) -> bytes:
    return re.sub(rb"\r?\n", b"\r\n", raw)


def _check(answer: tuple[str, list[object]] | tuple[str, object]) -> None:
    if answer[0] != "OK":
        raise RuntimeError(f"IMAP said {answer!r}")


def _descendants(parent: int) -> list[int]:
    """Processes started by a process, read from /proc; empty where there is none."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            text = stat.read_text(errors="replace")
            parents[int(stat.parent.name)] = int(text[text.rindex(")") + 2 :].split()[1])
    found, edge = [], [parent]
    while edge:
        edge = [child for child, its_parent in parents.items() if its_parent in edge]
        found += edge
    return found
