"""Whatever is wrong outside, a command says it in one clear line with the right exit code, and nothing is lost."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from bureau import Bureau, said, written
from servers.dovecot import Dovecot, free_port
from servers.smtp_sink import SmtpSink
from story.desk import CONTACT, Desk, mail

from mailbot.core.ticket import Status

ASK = "Hei, pyydän että poistatte kaikki minua koskevat henkilötiedot."


@pytest.fixture
def desk(tmp_path: Path, dovecot: Dovecot, smtp_sink: SmtpSink) -> Desk:
    """A controller with an empty mailbox."""
    return Desk.make(tmp_path, dovecot, smtp_sink)


def one_line(text: str) -> str:
    """The only line of what was said on stderr."""
    (line,) = text.strip().splitlines()
    assert line.startswith("mailbot: ")
    return line


def change(desk: Desk, old: str, new: str) -> None:
    """Another configuration."""
    path = desk.folder / "mailbot.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_an_empty_mailbox_is_no_error(desk: Desk) -> None:
    """Nothing to read is a round that read nothing."""
    ran = desk.must("poll", "--once", "--json")
    assert ran.json[0]["read"] == 0
    assert ran.err == ""


def test_messages_without_their_headers_are_read_all_the_same(bureau: Bureau) -> None:
    """No From, no Subject, no Date, no Message-ID, one at a time and none at all: each request is a ticket."""
    whole = mail("Maija <maija@customer.example>", "Pyyntö", ASK, message_id="<a@customer.example>").decode()
    for number, name in enumerate(["From", "Subject", "Date", "Message-ID"]):
        other = whole.replace("maija@", f"maija{number}@").replace("<a@", f"<a{number}@")
        bureau.arrive("\r\n".join(line for line in other.split("\r\n") if not line.startswith(f"{name}:")).encode())
    bureau.arrive(f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{ASK}\r\n".encode())
    assert bureau.poll().tickets == 5
    found = {ticket.requester_address: ticket.status for ticket in bureau.tickets()}
    assert found[""] is Status.NEEDS_TRIAGE
    assert {found[f"maija{number}@customer.example"] for number in (1, 2, 3)} == {Status.DRAFTED}
    assert bureau.poll().read == 0


HEAD = "From: m{n}@customer.example\r\nSubject: Pyynto\r\nMessage-ID: <m{n}@customer.example>\r\nMIME-Version: 1.0\r\n"
BROKEN = (
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n'
    + ASK.encode("latin-1"),
    b"Content-Type: text/plain; charset=no-such-charset\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\xff\xfe==",
    b"Content-Type: multipart/alternative\r\n\r\n" + ASK.encode(),
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ="
    + ASK.encode(),
)


def test_broken_mime_loses_no_request_and_stops_no_other(bureau: Bureau) -> None:
    """Cut boundaries, wrong encodings and bytes that are no text: what can be read is, and the rest goes on."""
    for number, content in enumerate(BROKEN):
        bureau.arrive(HEAD.format(n=number).encode() + content)
    bureau.arrive(mail("maija@customer.example", "Pyyntö", ASK, message_id="<after@customer.example>"))
    assert bureau.poll().read == 5
    people = {ticket.requester_address for ticket in bureau.tickets()}
    assert {"m0@customer.example", "m2@customer.example", "m3@customer.example", "maija@customer.example"} <= people


def test_a_message_of_thirty_megabytes_is_a_ticket_that_says_so(bureau: Bureau) -> None:
    """The words are read, the files stay where they are, and the database stays small."""
    raw = mail("maija@customer.example", "Pyyntö", "", message_id="<big@customer.example>")
    line = b"AAAA" * 19 + b"\r\n"
    parts = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
        + ASK.encode()
        + b"\r\n--b\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="all.zip"\r\n\r\n'
        + line * (30 * 1024 * 1024 // len(line))
        + b"--b--\r\n"
    )
    (notice,) = bureau.round(raw.split(b"Content-Type")[0] + parts)
    ticket = bureau.ticket()
    assert "oversize" in ticket.flags
    assert "erasure" in ticket.rights
    assert "so large that not all of it was read" in said(notice)
    assert bureau.database_file.stat().st_size < 10 * 1024 * 1024


def test_a_wrong_password_is_one_line(desk: Desk) -> None:
    """Exit code 77, and the password is not shown."""
    (desk.folder / "imap-password").write_text("not-the-password\n", encoding="utf-8")
    ran = desk.run("poll", "--once")
    assert ran.code == 77
    assert CONTACT not in one_line(ran.err) or "not-the-password" not in ran.err
    assert "not-the-password" not in ran.err + ran.out


@pytest.mark.parametrize("what", ["imap", "smtp"])
def test_a_refused_connection_is_one_line(desk: Desk, what: str) -> None:
    """Exit code 69, the host is named, and what waits stays queued."""
    desk.arrive(mail("maija@customer.example", "Pyyntö", ASK, message_id="<a@customer.example>"))
    if what == "smtp":
        desk.must("poll", "--once")
    port = desk.imap.port if what == "imap" else desk.smtp.port
    closed = free_port()
    change(desk, f"port = {port}", f"port = {closed}")
    ran = desk.run("poll" if what == "imap" else "deliver", "--once")
    assert ran.code == 69
    assert f"127.0.0.1:{closed}" in one_line(ran.err)
    change(desk, f"port = {closed}", f"port = {port}")
    desk.must("poll", "--once")
    sent = desk.must("deliver", "--once", "--json").json[0]["sent"]
    assert sent == (1 if what == "imap" else 0), "after a failure the next try waits a little"


def test_a_full_disk_while_storing_loses_nothing(desk: Desk) -> None:
    """Exit code 69 and one line; with room again, the same message becomes one ticket."""
    desk.must("tickets")
    files = [("photo.bin", "application/octet-stream", bytes(200_000))]
    desk.arrive(written("maija@customer.example", "Pyyntö", ASK, to=CONTACT, files=files))
    limit = (desk.folder / "var" / "test.db").stat().st_size + 100_000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    config = str(desk.folder / "mailbot.toml")
    ran = subprocess.run(
        [sys.executable, "-m", "mailbot", "--config", config, "poll", "--once"],
        capture_output=True, text=True, timeout=60, check=False, preexec_fn=full,
    )  # fmt: skip
    assert ran.returncode == 69, ran.stderr
    assert "can not be written" in one_line(ran.stderr)
    assert desk.tickets() == []
    desk.must("poll", "--once")
    assert len(desk.tickets()) == 1
    desk.must("audit", "verify")


def test_an_unknown_template_variable_is_named(desk: Desk) -> None:
    """Exit code 78 before any mail is touched, with file and name; mended, the request becomes a ticket."""
    own = desk.folder / "own" / "fi" / "blocks"
    own.mkdir(parents=True)
    (own / "greeting.txt").write_text("audience: part\n---\nHei {{ requester_nmae }},\n", encoding="utf-8")
    with (desk.folder / "mailbot.toml").open("a", encoding="utf-8") as file:
        file.write('\n[rules]\ntemplates = "own"\n')
    desk.arrive(mail("maija@customer.example", "Pyyntö", ASK, message_id="<a@customer.example>"))
    for command in (("check",), ("poll", "--once")):
        ran = desk.run(*command)
        assert ran.code == 78, ran
        assert "requester_nmae" in ran.err
        assert str(desk.folder / "own") in ran.err or "templates/fi" in ran.err, "the file is named"
    (own / "greeting.txt").unlink()
    desk.must("poll", "--once")
    assert len(desk.tickets()) == 1


def test_a_second_poller_comes_back_later(desk: Desk) -> None:
    """Exit code 75 while the first one holds the mailbox; its death lets go."""
    desk.must("tickets")
    lock = desk.folder / "var" / "test.db.poll.lock"
    script = (
        "import fcntl, sys, time; held = open(sys.argv[1], 'a+'); fcntl.flock(held, fcntl.LOCK_EX);"
        "print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        ran = desk.run("poll", "--once")
        first.kill()
    assert ran.code == 75
    assert "already runs poll" in one_line(ran.err)
    desk.must("poll", "--once")


def test_two_pollers_at_once_make_one_ticket(desk: Desk) -> None:
    """Whoever comes second waits or leaves; the request is one ticket."""
    desk.must("tickets")
    desk.arrive(mail("maija@customer.example", "Pyyntö", ASK, message_id="<a@customer.example>"))
    command = [sys.executable, "-m", "mailbot", "--config", str(desk.folder / "mailbot.toml"), "poll", "--once"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    deadline = time.monotonic() + 60
    codes = sorted(process.wait(timeout=deadline - time.monotonic()) for process in both)
    for process in both:
        process.communicate()
    assert codes in ([0, 0], [0, 75])
    assert len(desk.tickets()) == 1


def test_five_errors_of_a_configuration_are_told_at_once(desk: Desk) -> None:
    """Exit code 78; each with its key, so that one look mends all."""
    change(desk, 'security = "none"\nusername', 'security = "plain"\nusername')
    change(desk, 'start = "35d"', 'start = "yesterday"')
    change(desk, 'roles = ["approver"]', 'roles = ["boss"]')
    change(desk, 'language = "fi"', 'language = "xx"\nshoe_size = 43')
    ran = desk.run("check")
    assert ran.code == 78
    for key in ("imap.security", "imap.start", "roles", "language", "shoe_size"):
        assert key in ran.err, key
    assert all("mailbot.toml" in line or not line.strip() for line in ran.err.splitlines()[:1])
    assert desk.run("poll", "--once").code == 78


BAD_LINES: list[tuple[Callable[[Path], list[str]], int]] = [
    (lambda folder: ["classify", str(folder / "nothing.eml")], 65),
    (lambda _folder: ["ticket", "show", "JALO-2026-9999"], 65),
    (lambda _folder: ["ticket", "approve", "JALO-2026-9999", "--by", "Anna Approver", "--fingerprint", "abc"], 65),
    (lambda _folder: ["ticket", "note", "JALO-2026-9999", "x", "--by", "Nobody"], 77),
    (lambda _folder: ["poll"], 2),
    (lambda _folder: ["remind", "--once", "--now", "tomorrow"], 65),
]


@pytest.mark.parametrize("number", range(len(BAD_LINES)))
def test_a_wrong_call_is_one_line(desk: Desk, number: int) -> None:
    """No traceback, whatever is missing."""
    made, code = BAD_LINES[number]
    ran = desk.run(*made(desk.folder))
    assert ran.code == code, ran
    assert ran.err.strip()
