"""The configuration: every error at once, secrets never shown, the sample valid."""

import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from mailbot.cli.setup import sample
from mailbot.config import Config, from_data, load
from mailbot.errors import ConfigurationError
from mailbot.gateway.credentials import load_key, resolve

GOOD = """
profile = "jalo-it"
[database]
url = "sqlite:///var/x.db"
[imap]
host = "imap.example.com"
username = "privacy@example.com"
password_env = "IMAP"
[smtp]
host = "smtp.example.com"
sender = "Jalo IT Oy, tietosuoja <privacy@example.com>"
[[staff]]
name = "Anna"
email = "anna@example.com"
"""


def _data(more: str = "") -> dict[str, object]:
    return tomllib.loads(GOOD + more)


def test_the_least_configuration_has_defaults_for_all_else(tmp_path: Path) -> None:
    """profile, database, imap, smtp and one approver suffice."""
    found = from_data(_data(), tmp_path / "m.toml")
    assert found.imap.port == 993
    assert found.imap.security == "tls"
    assert found.staff[0].roles == ["approver"]
    assert found.reminders.days_before == [14, 7, 3, 1]
    assert found.authenticity.staff_mail == "token"
    assert found.own_addresses() == {"privacy@example.com"}


def test_five_errors_are_told_at_once_with_file_key_and_cure(tmp_path: Path) -> None:
    """Unknown key, missing key, wrong value, wrong address and impossible security all stand in one answer."""
    data = _data()
    data["colour"] = "blue"
    del data["database"]["url"]  # type: ignore[union-attr]
    data["imap"] |= {"port": 99999, "security": "none"}  # type: ignore[operator]
    data["smtp"]["sender"] = "nobody"  # type: ignore[index]
    data["staff"][0]["email"] = "anna"  # type: ignore[index]
    with pytest.raises(ConfigurationError) as caught:
        from_data(data, tmp_path / "m.toml")
    told = caught.value.problems
    assert len(told) >= 5
    for key in ("colour", "database.url", "imap.port", "smtp.sender", "staff.1.email"):
        line = next(line for line in told if f" {key}:" in line)
        assert line.startswith(str(tmp_path / "m.toml"))


def test_what_holds_between_tables_is_told_beside_wrong_keys(tmp_path: Path) -> None:
    """A wrong port hides neither plain text over a network, nor that nobody approves, nor an alarm to the dead."""
    data = _data()
    data["imap"] |= {"port": 99999, "security": "none", "password_file": "x"}  # type: ignore[operator]
    data["staff"][0]["roles"] = ["drafter"]  # type: ignore[index]
    data["staff"][0]["deputy"] = "nobody@example.com"  # type: ignore[index]
    data["alarm"] = {"email": "privacy@example.com"}
    with pytest.raises(ConfigurationError) as caught:
        from_data(data, tmp_path / "m.toml")
    told = "\n".join(caught.value.problems)
    lines = ("imap.port", "only on loopback", "only one of", "nobody may approve", "deputy of Anna", "alarm.email")
    for words in lines:
        assert told.count(words) == 1, words


@pytest.mark.parametrize("junk", [3, "text", [], [3], {}, {"host": 3, "email": 4, "roles": 5}, None, True])
@pytest.mark.parametrize("table", ["imap", "smtp", "staff", "alarm", "database"])
def test_a_table_of_a_wrong_kind_is_an_error_and_no_crash(table: str, junk: object, tmp_path: Path) -> None:
    """Whatever stands where a table should, the answer is a list of lines with the table's name."""
    with pytest.raises(ConfigurationError) as caught:
        from_data(_data() | {table: junk}, tmp_path / "m.toml")
    assert all(table in line for line in caught.value.problems)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"imap": {"port": "993"}}, "imap.port: write a whole number from 1 to 65535"),
        ({"imap": {"folders": "some"}}, "imap.folders: name folders in a list"),
        ({"imap": {"username": " "}}, "imap.username"),
        ({"imap": {"security": "none"}}, "only on loopback"),
        ({"staff": [{"name": "A", "email": "a@example.com", "roles": ["drafter"]}]}, "nobody may approve"),
        ({"alarm": {"email": "privacy@example.com"}}, "must not be the polled mailbox"),
        ({"imap": {"start": "sometime"}}, "35d"),
        ({"imap": {"password_file": "x"}}, "only one of"),
        ({"database": {"url": "mysql://x"}}, "sqlite"),
    ],
)
def test_a_wrong_value_says_what_to_write(change: dict[str, object], says: str, tmp_path: Path) -> None:
    """Each error names the cure."""
    data = _data()
    for table, values in change.items():
        if isinstance(values, dict) and table in data:
            data[table] |= values  # type: ignore[operator]
        else:
            data[table] = values
    with pytest.raises(ConfigurationError, match=says):
        from_data(data, tmp_path / "m.toml")


def test_the_written_sample_is_valid_and_shows_every_key(tmp_path: Path) -> None:
    """What `init` writes loads as it is, and no field is missing from it."""
    path = tmp_path / "m.toml"
    path.write_text(sample(), encoding="utf-8")
    load(path)
    for field in fields(Config):
        if field.name != "path":
            assert field.name in sample()
    for key in ("password_credential", "sent_folders", "trusted_received", "four_eyes", "dismissed_days", "clean_up"):
        assert key in sample()


def test_a_secret_comes_from_file_environment_command_or_credential(tmp_path: Path) -> None:
    """Each source gives the same secret, and its text form never shows it."""
    (tmp_path / "pw").write_text("hunter2\n", encoding="utf-8")
    sources = [
        ({"file": "pw"}, {}),
        ({"env": "PW"}, {"PW": "hunter2"}),
        ({"command": [sys.executable, "-c", "print('hunter2')"]}, {}),
        ({"credential": "pw"}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}),
    ]
    for source, environ in sources:
        found = resolve("imap.password", source, tmp_path, environ)  # type: ignore[arg-type]
        assert found.reveal() == "hunter2"
        assert "hunter2" not in f"{found!r} {found}"


@pytest.mark.parametrize(
    "source", [{}, {"file": "none"}, {"env": "NONE"}, {"credential": "x"}, {"command": ["/no/such"]}]
)
def test_a_missing_secret_is_one_line_that_names_it(source: dict[str, str], tmp_path: Path) -> None:
    """The line names the key and what to do."""
    with pytest.raises(ConfigurationError, match=r"imap\.password"):
        resolve("imap.password", source, tmp_path, {})  # type: ignore[arg-type]


def test_the_key_is_made_once_with_mode_0600(tmp_path: Path) -> None:
    """The second reading gives the same key, and nobody else can read the file."""
    path = tmp_path / "var" / "x.key"
    first = load_key(path)
    assert len(first) == 32
    assert load_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    """Half a key is no key."""
    path = tmp_path / "x.key"
    path.write_text("abcd\n", encoding="ascii")
    with pytest.raises(ConfigurationError, match="damaged"):
        load_key(path)


def test_init_writes_once_and_never_over_a_file(tmp_path: Path) -> None:
    """A second `init` changes nothing and ends with 65."""
    target = tmp_path / "m.toml"
    command = [sys.executable, "-m", "mailbot", "init", "--output", str(target)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    written = target.read_text(encoding="utf-8")
    assert subprocess.run(command, check=False, capture_output=True).returncode == 65
    assert target.read_text(encoding="utf-8") == written
