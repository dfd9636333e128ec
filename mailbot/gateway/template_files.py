"""Template files: header lines, a line `---`, then the body; found in the first folder that has them.

A header line is `key: value`, or `#` for a remark. The body is Jinja2 in a sandbox, and less than that: names,
literals, conditions, loops over given facts, includes by a literal name, and the filters of the renderer. Neither calls
nor arithmetic nor macros: so a template ends by construction, and an administrator's own template can neither run for
ever nor reach anything. A line that starts with `| ` is kept as it is, all others are filled to 72 columns.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

from mailbot.core.draft import Need, NeedKind
from mailbot.core.lines import MARK
from mailbot.core.rights import Ground
from mailbot.errors import ConfigurationError

MAX_BYTES = 200_000  # of one template file
MAX_LOOPS = 3  # loops within loops
_NEED = re.compile(r"(\w+) (text|date|attachment|choice)((?: \w+)*?)(?: if (\w+(?:,\w+)*))?: (.+)")
_KEYS = {"subject", "audience", "rights", "need", "optional"}
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.If,
    nodes.For, nodes.Include, nodes.Filter, nodes.Test, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand,
    nodes.CondExpr, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ConditionalNeed:
    """A need, and the grounds for which it is asked; no grounds: always."""

    need: Need
    grounds: tuple[Ground, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the lines above the body say."""

    subject: str = ""  # itself a template
    audience: str = "data_subject"  # data_subject | staff | part (a block used by others)
    rights: tuple[str, ...] = ()  # for a text that serves several rights; empty: all
    needs: tuple[ConditionalNeed, ...] = ()
    optional: tuple[ConditionalNeed, ...] = ()  # what staff may add


@dataclass(frozen=True, kw_only=True)
class TemplateFile:
    """One text, read and split."""

    name: str  # "fi/reply/access-fulfilled.txt"
    path: Path
    header: Header
    body: str


class TemplateFolder:
    """The template folders, earlier ones overriding later ones; every file is read once."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._known: dict[str, TemplateFile] = {}

    def find(self, name: str) -> Path | None:
        """The file of that name, or None."""
        if ".." in name.split("/"):
            return None
        return next((path for folder in self._folders if (path := folder / name).is_file()), None)

    def names(self, language: str) -> tuple[str, ...]:
        """Every template of a language, in order."""
        found = {
            path.relative_to(folder).as_posix()
            for folder in self._folders
            for path in (folder / language).rglob("*.txt")
        }
        return tuple(sorted(found))

    def read(self, name: str) -> TemplateFile:
        """The template of that name.

        Raises ConfigurationError with file and line when it is missing or not well made.
        """
        if name not in self._known:
            path = self.find(name)
            if path is None:
                where = ", ".join(str(folder) for folder in self._folders)
                raise ConfigurationError([f"{name}: no such template in {where}. Add the file or mend its name."])
            self._known[name] = _split(name, path)
        return self._known[name]


def _split(name: str, path: Path) -> TemplateFile:
    try:
        raw = path.read_bytes()
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{path}: can not be read as UTF-8 text ({error}). Save it as UTF-8."]) from error
    if len(raw) > MAX_BYTES:
        raise ConfigurationError([f"{path}: is larger than {MAX_BYTES} bytes. A template is one text; split it."])
    head, separator, body = text.partition("\n---\n")
    if not separator:
        head, separator, body = "", "---\n", text.removeprefix("---\n") if text.startswith("---\n") else ""
        if not body:
            raise ConfigurationError([f"{path}: has no line '---' between header and body. Add it."])
    return TemplateFile(name=name, path=path, header=_header(path, head.splitlines()), body=_kept_lines(body))


def _kept_lines(body: str) -> str:
    return "\n".join(
        MARK + line[2:] if line.startswith("| ") else MARK if line == "|" else line for line in body.split("\n")
    )


def _header(path: Path, lines: Iterable[str]) -> Header:
    values: dict[str, str] = {}
    needs: dict[str, list[ConditionalNeed]] = {"need": [], "optional": []}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in _KEYS:
            raise ConfigurationError([f"{path}:{number}: unknown header {key!r}. Known: {', '.join(sorted(_KEYS))}."])
        if key in needs:
            needs[key].append(_need(path, number, value.strip()))
        else:
            values[key] = value.strip()
    return Header(
        subject=values.get("subject", ""),
        audience=values.get("audience", "data_subject"),
        rights=tuple(values.get("rights", "").split()),
        needs=tuple(needs["need"]),
        optional=tuple(needs["optional"]),
    )


def _need(path: Path, number: int, value: str) -> ConditionalNeed:
    found = _NEED.fullmatch(value)
    if not found:
        cure = "Write it as 'need: NAME text|date|attachment|choice [CHOICES] [if GROUND,GROUND]: Question'."
        raise ConfigurationError([f"{path}:{number}: this need can not be read. {cure}"])
    name, kind, choices, grounds, question = found.groups()
    try:
        only_for = tuple(Ground(ground) for ground in grounds.split(",")) if grounds else ()
        if name == "ground":
            tuple(Ground(choice) for choice in choices.split())
    except ValueError as error:
        raise ConfigurationError([f"{path}:{number}: {error}. Use a ground of mailbot/core/rights.py."]) from error
    return ConditionalNeed(
        need=Need(name=name, kind=NeedKind(kind), question=question, choices=tuple(choices.split())), grounds=only_for
    )


def problems_of(environment: Environment, file: TemplateFile, filters: Iterable[str]) -> list[str]:
    """What is not allowed in a template, one line each; empty when it is well made."""
    try:
        tree = environment.parse(file.body)
    except TemplateSyntaxError as error:
        return [f"{file.path}: line {error.lineno} of the body: {error.message}. Mend the template."]
    known = frozenset(filters)
    problems = [
        f"{file.path}: line {node.lineno} of the body: {why}"
        for node in tree.find_all(nodes.Node)
        if (why := _objection(node, known))
    ]
    if _depth(tree) > MAX_LOOPS:
        problems.append(f"{file.path}: more than {MAX_LOOPS} loops within loops. Write it flatter.")
    return problems


def _objection(node: nodes.Node, filters: frozenset[str]) -> str:
    if not isinstance(node, _ALLOWED):
        return f"{type(node).__name__.lower()} is not allowed in a template. Use facts, conditions and plain loops."
    if isinstance(node, nodes.Filter) and node.name not in filters:
        return f"the filter {node.name!r} is not allowed. Known: {', '.join(sorted(filters))}."
    if isinstance(node, nodes.For) and node.recursive:
        return "a recursive loop is not allowed. Loop over facts."
    if isinstance(node, nodes.Include) and not (isinstance(node.template, nodes.Const) and not node.ignore_missing):
        return "an include needs the literal name of a block."
    if isinstance(node, nodes.Include) and not str(node.template.as_const()).startswith(("blocks/", "reply/")):
        return "only files of blocks/ and reply/ can be included."
    return ""


def _depth(node: nodes.Node) -> int:
    below = max((_depth(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)
