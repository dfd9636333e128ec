"""A real PostgreSQL cluster in a temporary folder, on a unix socket, run by an unprivileged user.

As root the server runs as `postgres` (or `nobody`), because it refuses to run as root. Durability is off: a test that
pulls the plug kills our own process, not the machine.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any


def _binary(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(installed[0]) if installed else None)


class Postgres:
    """A context manager: `with Postgres() as server:` runs a cluster; `database()` gives an empty database."""

    def __init__(self, folder: Path | None = None) -> None:
        self._made = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self._count = itertools.count(1)

    @staticmethod
    def missing() -> str | None:
        """Why it cannot run here; None when it can."""
        absent = [name for name in ("initdb", "pg_ctl", "psql") if _binary(name) is None]
        return f"PostgreSQL is not installed ({', '.join(absent)})" if absent else None

    def __enter__(self) -> "Postgres":
        self.folder.chmod(0o755)
        account = self._account()
        if account is not None:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._made:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the cluster; returns when it answers."""
        options = (
            f"-k {self.folder} -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c max_connections=40"
        )
        log, data = str(self.folder / "log"), str(self.folder / "data")
        self._run("pg_ctl", "start", "-w", "-t", "30", "-s", "-D", data, "-l", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends sessions, `immediate` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-t", "30", "-s", "-m", mode, "-D", str(self.folder / "data"))

    def database(self) -> str:
        """Make an empty database and return its SQLAlchemy URL."""
        name = f"test_{next(self._count)}"
        self._run("psql", "-q", "-X", "-h", str(self.folder), "-U", "postgres", "-c", f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        name = url.split("@/", 1)[1].split("?", 1)[0]
        statement = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        self._run("psql", "-q", "-X", "-h", str(self.folder), "-U", "postgres", "-c", statement)

    def _account(self) -> pwd.struct_passwd | None:
        """Who runs the server: None for ourselves."""
        if os.geteuid() != 0:
            return None
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        return names.get("postgres") or names["nobody"]

    def _run(self, name: str, *arguments: str) -> None:
        binary = _binary(name)
        assert binary is not None, "ask Postgres.missing() first"
        account = self._account()
        as_whom: dict[str, Any] = {}
        if account is not None:
            as_whom = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with (self.folder.parent / f"{self.folder.name}.out").open("w+b") as output:
            done = subprocess.run([binary, *arguments], stdout=output, stderr=output, cwd="/", check=False, **as_whom)
            output.seek(0)
            said = output.read().decode(errors="replace")
        (self.folder.parent / f"{self.folder.name}.out").unlink(missing_ok=True)
        if done.returncode:
            raise RuntimeError(f"{name} failed: {said[-2000:]}")
