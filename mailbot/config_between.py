"""What must hold between the keys and tables of a configuration, judged on the tables as they were written.

A schema judges each key alone and stops there once one is wrong; these rules are asked whatever else is wrong, so that
every error is told at once. Each yields the key and what to do; a value of a wrong kind is the schema's to tell.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mailbot.core.message import our_address

Problem = tuple[str, str]  # the key ("" where it is the whole file) and what is wrong, with the cure
SECRETS = ("password_file", "password_env", "password_command", "password_credential")


def problems_between(data: Mapping[str, Any]) -> list[Problem]:
    """Every broken rule of a file, in the order of its tables; empty where all hold."""
    return [problem for rule in _RULES for problem in rule(data)]


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def own_addresses(username: str, sender: str) -> frozenset[str]:
    """The addresses that are the polled mailbox: its login, if that is one, and the sender (lower case)."""
    return frozenset(name for name in (username.lower(), our_address(sender).address.lower()) if "@" in name)


def _plain_text_only_at_home(data: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("imap", "smtp"):
        table = _table(data, name)
        if table.get("security") == "none" and not is_loopback(_text(table, "host")):
            yield name, 'security = "none" is allowed only on loopback; use "tls" or "starttls"'


def _one_secret(data: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("imap", "smtp"):
        table = _table(data, name)
        if sum(bool(table.get(source)) for source in (*SECRETS, "oauth")) > 1:
            yield name, f"give only one of {', '.join(SECRETS)}, oauth"


def _somebody_approves(data: Mapping[str, Any]) -> Iterator[Problem]:
    people = _staff(data)
    if people and not any("approver" in _roles(person) and person.get("active", True) for person in people):
        yield "", 'staff: nobody may approve; give one person roles = ["approver"]'


def _each_their_own_address(data: Mapping[str, Any]) -> Iterator[Problem]:
    addresses = _addresses(data)
    for address in sorted({address for address in addresses if addresses.count(address) > 1}):
        yield "", f"staff: the address {address} stands twice; each person needs their own"


def _deputies_are_staff(data: Mapping[str, Any]) -> Iterator[Problem]:
    addresses = _addresses(data)
    for person in _staff(data):
        deputy = _text(person, "deputy").lower()
        if deputy and deputy not in addresses:
            yield "", f"staff: the deputy of {_text(person, 'name')} is not among the staff addresses"


def _alarms_go_elsewhere(data: Mapping[str, Any]) -> Iterator[Problem]:
    if "alarm" not in data:
        return
    alarm = _table(data, "alarm")
    if not alarm.get("email") and not alarm.get("command"):
        yield "alarm", "give email or command"
    own = own_addresses(_text(_table(data, "imap"), "username"), _text(_table(data, "smtp"), "sender"))
    if _text(alarm, "email").lower() in own:
        yield "alarm.email", "must not be the polled mailbox; give an address elsewhere"


_RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Problem]], ...] = (
    _plain_text_only_at_home,
    _one_secret,
    _somebody_approves,
    _each_their_own_address,
    _deputies_are_staff,
    _alarms_go_elsewhere,
)


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    return found.strip() if isinstance(found, str) else ""


def _staff(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = data.get("staff")
    return [person for person in found if isinstance(person, Mapping)] if isinstance(found, list) else []


def _roles(person: Mapping[str, Any]) -> list[Any]:
    found = person.get("roles", ["approver"])
    return found if isinstance(found, list) else []


def _addresses(data: Mapping[str, Any]) -> list[str]:
    return [_text(person, "email").lower() for person in _staff(data)]
