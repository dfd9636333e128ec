"""The systemd units: each may do its own work and nothing else, and secrets are kept apart."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailbot.errors import ConfigurationError
from mailbot.gateway.credentials import resolve

UNITS = Path(__file__).parent.parent / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
DAEMONS = {"mailbot-poll@.service": "imap", "mailbot-deliver@.service": "smtp"}
TASKS = sorted(set(SERVICES) - set(DAEMONS))
HARDENING_STARTS = "User=mailbot"
HARDENING_ENDS = "SystemCallErrorNumber=EPERM"
EXPOSURE_AT_MOST = 15  # tenths, as systemd-analyze takes it

Settings = dict[str, dict[str, list[str]]]


def settings(name: str) -> Settings:
    """Section -> key -> values in order; a unit file may repeat a key."""
    found: Settings = {}
    section = ""
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(section, {}).setdefault(key, []).append(value)
    return found


def service(name: str, key: str) -> list[str]:
    return settings(name)["Service"].get(key, [])


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail("the build machine must have systemd-analyze")
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_every_unit_of_the_house_is_there() -> None:
    """Two daemons, three timed tasks and one target that holds them together."""
    assert [f"mailbot-{name}@.service" for name in ("canary", "deliver", "poll", "purge", "remind")] == SERVICES
    assert [f"mailbot-{name}@.timer" for name in ("canary", "purge", "remind")] == TIMERS
    wanted = " ".join(settings("mailbot@.target")["Unit"]["Wants"]).split()
    assert sorted(wanted) == sorted(name.replace("@", "@%i") for name in [*DAEMONS, *TIMERS])


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_hardened(name: str) -> None:
    """The exposure that systemd itself reckons is at most 1.5 of 10."""
    done = systemd_analyze("security", "--offline=true", f"--threshold={EXPOSURE_AT_MOST}", str(UNITS / name))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"exposure level for .*: \d", done.stdout)


def test_the_units_are_valid(tmp_path: Path) -> None:
    """systemd finds no unknown key and no wrong value in any unit."""
    for path in UNITS.iterdir():
        text = path.read_text(encoding="utf-8").replace("/opt/mailbot/bin/mailbot", sys.executable)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    done = systemd_analyze("verify", *(str(tmp_path / name) for name in [*SERVICES, *TIMERS, "mailbot@.target"]))
    ours = [line for line in done.stderr.splitlines() if "mailbot" in line]
    assert ours == []


def test_a_wrong_unit_would_be_noticed(tmp_path: Path) -> None:
    """The check above fails for a misspelt key."""
    text = (UNITS / "mailbot-purge@.service").read_text(encoding="utf-8").replace("ProtectHome=", "ProtectHouse=")
    unit = tmp_path / "mailbot-purge@.service"
    unit.write_text(text.replace("/opt/mailbot/bin/mailbot", sys.executable), encoding="utf-8")
    assert "ProtectHouse" in systemd_analyze("verify", str(unit)).stderr


@pytest.mark.parametrize(("name", "own"), DAEMONS.items())
def test_a_daemon_has_only_its_own_secret(name: str, own: str) -> None:
    """The poller never holds SMTP's secret and the sender never IMAP's, nor the folder of the other's token."""
    other = {"imap": "smtp", "smtp": "imap"}[own]
    assert service(name, "LoadCredential") == [f"{own}:/etc/mailbot/credentials/%i.{own}"]
    assert service(name, "StateDirectory") == [f"mailbot/%i mailbot-{own}/%i"]
    assert service(name, "BindPaths") == [f"%S/mailbot/%i %S/mailbot-{own}/%i"]
    mentions = [line for line in code(name) if re.search(rf"\b{other}\b", line)]
    assert mentions == []


@pytest.mark.parametrize("name", TASKS)
def test_a_timed_task_has_no_secret(name: str) -> None:
    """Reminding, purging and the canary need no secret: mail goes through the outbox."""
    assert not service(name, "LoadCredential") + service(name, "LoadCredentialEncrypted")
    assert not [line for line in code(name) if re.search(r"\b(imap|smtp)\b", line)]


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_can_read_the_credential_files(name: str) -> None:
    """systemd hands a credential over; the folder they lie in is out of reach, as is the state of others."""
    assert service(name, "InaccessiblePaths")[0] == "-/etc/mailbot/credentials"
    assert service(name, "TemporaryFileSystem") == ["/var/lib:ro"]


@pytest.mark.parametrize(("name", "own"), DAEMONS.items())
def test_a_missing_credential_is_said_by_mailbot_itself(name: str, own: str, tmp_path: Path) -> None:
    """Without its file the credential is an empty line, so the unit starts and ends with one clear line and 78."""
    assert service(name, "SetCredential") == [f"{own}:\\n"]
    (tmp_path / own).write_text("\n", encoding="ascii")
    with pytest.raises(ConfigurationError, match="the secret is empty") as caught:
        resolve(f"{own}.password", {"credential": own}, tmp_path, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert caught.value.exit_code == 78
    assert "78" in service(name, "RestartPreventExitStatus")[0].split()


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_is_watched_and_restarted(name: str) -> None:
    """It tells when it is ready, is killed when it hangs, and comes back unless only a person can help."""
    assert service(name, "Type") == ["notify"]
    assert service(name, "WatchdogSec")
    assert service(name, "Restart") == ["always"]
    assert service(name, "RestartPreventExitStatus") == ["77 78"]
    assert settings(name)["Unit"]["StartLimitIntervalSec"] == ["0"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_runs_one_absolute_program_without_a_shell(name: str) -> None:
    """No shell stands between systemd and mailbot, and each instance reads its own configuration."""
    (command,) = service(name, "ExecStart")
    program, option, config, *_rest = command.split()
    assert (program, option, config) == ("/opt/mailbot/bin/mailbot", "--config", "/etc/mailbot/%i.toml")
    if name != "mailbot-canary@.service":  # [alarm] command may be a script
        assert {"-/usr/bin/sh", "-/usr/bin/bash", "-/usr/bin/dash"} <= set(
            service(name, "InaccessiblePaths")[1].split()
        )


def test_every_unit_is_hardened_alike() -> None:
    """The hardening block is the same, line for line, in every unit."""
    blocks = set()
    for name in SERVICES:
        text = (UNITS / name).read_text(encoding="utf-8")
        start, end = text.index(HARDENING_STARTS), text.index(HARDENING_ENDS)
        blocks.add(text[start:end])
    assert len(blocks) == 1


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_removes_no_folder_of_another(name: str) -> None:
    """systemd removes a runtime folder when its unit stops, so no two units share one."""
    owners = [other for other in SERVICES if service(other, "RuntimeDirectory") == service(name, "RuntimeDirectory")]
    assert owners == [name]


@pytest.mark.parametrize("name", ["mailbot-canary@.timer", "mailbot-purge@.timer"])
def test_a_timer_makes_up_for_time_off(name: str) -> None:
    """A run that was missed while the machine was off is made up for when it is on again."""
    assert settings(name)["Timer"]["Persistent"] == ["yes"]


def test_staff_are_told_in_the_morning_and_never_at_night() -> None:
    """Reminders begin at seven on working days; a missed hour is made up for by the next one, not by a run at boot."""
    timer = settings("mailbot-remind@.timer")["Timer"]
    assert timer["Persistent"] == ["no"]
    done = systemd_analyze("calendar", "--base-time=2026-11-06 17:30:00", "--iterations=12", timer["OnCalendar"][0])
    assert "Mon 2026-11-09 07:05:00" in done.stdout  # the Friday is over
    assert "Mon 2026-11-09 17:05:00" in done.stdout
    assert "Tue 2026-11-10 07:05:00" in done.stdout


@pytest.mark.parametrize("name", TIMERS)
def test_every_timer_starts_a_unit_of_ours(name: str) -> None:
    """The service of the same name is there."""
    assert name.replace(".timer", ".service") in SERVICES


def code(name: str) -> list[str]:
    """The lines of a unit that are not comments or descriptions."""
    lines = (UNITS / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "Description="))]
