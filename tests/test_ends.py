"""Certificates, tokens and secrets near their end are told while there is time, once; and once that they are new."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from servers import certificate
from servers.odd_imap import OddImap
from servers.smtp_sink import SmtpSink
from story.desk import Desk

from mailbot.config import load
from mailbot.core.life import Life
from mailbot.flows import lives
from mailbot.flows.canary import Round, canary
from mailbot.flows.poll import poll
from mailbot.wiring import House

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """A controller whose IMAP server shows a certificate of that life, and whose SMTP server has one of two days."""
    opened: list[OddImap | SmtpSink] = []

    def make(begins: datetime, ends_at: datetime, more: str = "") -> Desk:
        for server in opened:
            server.__exit__(None, None, None)
        opened.clear()
        pem = certificate.make(tmp_path, begins, ends_at)
        imap = OddImap(tls=certificate.context(pem)).__enter__()
        smtp = SmtpSink(security="tls").__enter__()
        opened.extend((imap, smtp))
        desk = Desk.make(tmp_path, imap, smtp, more='[alarm]\nemail = "admin@other-domain.example"')  # type: ignore[arg-type]
        path = tmp_path / "mailbot.toml"
        head, _, tail = path.read_text("utf-8").partition("[smtp]")
        head = head.replace('security = "none"', f'security = "tls"\nca_file = "{pem}"\n{more}')
        tail = tail.replace('security = "none"', f'security = "tls"\nca_file = "{smtp.certificate}"')
        path.write_text(f"{head}[smtp]{tail}", encoding="utf-8")
        return desk

    yield make
    for server in opened:
        server.__exit__(None, None, None)


def _look(desk: Desk, *, now: datetime, connect: bool = True) -> Round:
    """Connects to both servers as the duties do, then lets the canary judge."""
    house = House(load(desk.folder / "mailbot.toml"), lambda: now)
    if connect:
        with house.mailbox() as mailbox:
            lives.note(house.office, house.lives(mailbox), now=now)
            poll(house.office, mailbox, house.reader, house.commands, house.folders(), clock_now=lambda: now)
        with house.transport() as transport:
            transport.probe()
            lives.note(house.office, house.lives(transport), now=now)
    done = canary(house.office, house.canary_plan(), now=now)
    house.database.close()
    return done


def _told(done: Round) -> set[tuple[str, bool]]:
    return {(told.name, told.recovered) for told in done.told if told.name.startswith("ends")}


def test_a_certificate_near_its_end_is_told_once_and_its_renewal_once(shown: Callable[..., Desk]) -> None:
    """Ten days before the end of a year's certificate, seen at the connection; the new one ends the alarm."""
    desk = shown(NOW - 355 * DAY, NOW + 10 * DAY)
    done = _look(desk, now=NOW)
    assert _told(done) == {("ends imap.certificate", False), ("ends imap.authority", False)}
    words = done.told[0].text.body
    assert "IMAP-palvelimen varmenne on vanhenemassa" in words
    assert f"{(NOW + 10 * DAY).day}." in words
    assert _told(_look(desk, now=NOW + DAY / 4)) == set()
    desk = shown(NOW - DAY, NOW + 364 * DAY)
    assert _told(_look(desk, now=NOW + DAY / 4)) == {("ends imap.certificate", True), ("ends imap.authority", True)}
    assert _told(_look(desk, now=NOW + DAY / 4)) == set()


def test_a_short_certificate_is_told_in_its_last_quarter(shown: Callable[..., Desk]) -> None:
    """One of two days raises no alarm for a day and a half, and then does: people of a broken renewal hear in time."""
    desk = shown(NOW - DAY, NOW + 300 * DAY)
    assert _told(_look(desk, now=NOW)) == set()
    later = _told(_look(desk, now=NOW + DAY * 1.6, connect=False))
    assert later == {("ends smtp.certificate", False), ("ends smtp.authority", False)}


def test_a_secret_whose_last_day_is_named_is_told(shown: Callable[..., Desk]) -> None:
    """No server says when a password or an application secret ends; the configuration may."""
    last = (NOW + 20 * DAY).date()
    desk = shown(NOW - DAY, NOW + 300 * DAY, more=f"secret_ends_on = {last.isoformat()}")
    assert _told(_look(desk, now=NOW, connect=False)) == set()
    assert _told(_look(desk, now=NOW + 8 * DAY, connect=False)) == {("ends imap.secret", False)}


def test_what_is_no_longer_used_is_not_watched(shown: Callable[..., Desk]) -> None:
    """A certificate that was seen once is forgotten when the configuration connects without TLS."""
    desk = shown(NOW - 355 * DAY, NOW + 100 * DAY)
    _look(desk, now=NOW)
    path = desk.folder / "mailbot.toml"
    text = path.read_text("utf-8").replace('security = "tls"', 'security = "none"')
    path.write_text("\n".join(line for line in text.splitlines() if "ca_file" not in line), encoding="utf-8")
    assert _told(_look(desk, now=NOW + 95 * DAY, connect=False)) == set()


def test_doctor_shows_the_ends(shown: Callable[..., Desk]) -> None:
    """What holds long is a good line with its date, what is near its end a bad one, and the exit code says so."""
    desk = shown(NOW - 355 * DAY, NOW + 10 * DAY)
    ran = desk.run("doctor")
    assert ran.code == 69
    assert f"BAD   imap certificate until {NOW + 10 * DAY:%Y-%m-%d}" in ran.out
    assert "ok    smtp certificate until" in ran.out
    assert "about to run out" not in ran.out
    _look(desk, now=NOW)
    assert "BAD   the certificate of the IMAP server is about to run out (told" in desk.run("doctor").out
    assert desk.run("check", "--connect").code == 0
    desk = shown(NOW - DAY, NOW + 300 * DAY)
    _look(desk, now=NOW)
    assert desk.run("doctor").code == 0


def test_an_expired_certificate_is_one_clear_line(shown: Callable[..., Desk]) -> None:
    """Past its end there is no connection, and the line says why."""
    desk = shown(NOW - 10 * DAY, NOW - DAY)
    ran = desk.run("poll", "--once")
    assert ran.code == 69
    assert "expired" in ran.err
    assert len(ran.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("life_days", "left_days", "near"),
    [(365, 15, False), (365, 14, True), (90, 15, False), (90, 13, True), (6, 2, False), (6, 1.4, True)],
)
def test_near_depends_on_the_whole_life(life_days: float, left_days: float, near: bool) -> None:
    """Two weeks, or the last quarter of a shorter life."""
    moment = datetime.combine(date(2026, 11, 3), datetime.min.time(), UTC)
    ends_at = moment + timedelta(days=left_days)
    life = Life(name="x", begins_at=ends_at - timedelta(days=life_days), ends_at=ends_at)
    assert life.near_end(moment) is near
