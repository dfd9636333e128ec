"""The README can not lag behind the code: its life cycle is drawn from the table, its commands are the commands."""

import re
from pathlib import Path

import pytest

from mailbot.cli import COMMANDS
from mailbot.core.ticket import diagram

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_life_cycle_is_the_table() -> None:
    """What stands between the markers is what `core.ticket.diagram()` draws today."""
    found = re.search(r"<!-- life-cycle -->\n(.*?)<!-- end of life-cycle -->", README, re.DOTALL)
    assert found is not None
    assert found[1] == f"```mermaid\n{diagram()}```\n", "put the output of core.ticket.diagram() between the markers"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_table(command: str) -> None:
    """Each command that `mailbot --help` lists stands in the first column of the README's table."""
    table = README.split("## Commands", 1)[1].split("\n## ", 1)[0]
    first_cells = " ".join(re.split(r"(?<!\\)\|", line)[1] for line in table.splitlines() if line.startswith("| `"))
    assert re.search(rf"`{re.escape(command)}[` ]", first_cells), f"add `{command}` to the README's table of commands"
