"""One language of the templates: its words, how it writes dates, and a sandbox that renders its files.

Every text that comes from facts is cleaned of control characters when it is output; a template decides nothing but
words. Rendering ends by construction (see `template_files.py`) and is capped in size.
"""

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailbot.core.lines import WIDTH, clean, folded, keep, one_line
from mailbot.errors import BadInputError, ConfigurationError
from mailbot.gateway.template_files import TemplateFile, TemplateFolder, problems_of

MAX_OUTPUT = 2_000_000  # characters of one rendered text
FILTERS: Final = ("join", "length", "first", "default", "lines", "quoted", "kept", "day", "cap", "line")


class Kept(str):
    """Text whose line marks are ours: output as it is."""

    __slots__ = ()


class _Loader(BaseLoader):
    def __init__(self, folder: TemplateFolder) -> None:
        self._folder = folder

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        file = self._folder.read(template)
        if problems := problems_of(environment, file, FILTERS):
            raise ConfigurationError(problems)
        return file.body, str(file.path), lambda: True


class _Sandbox(ImmutableSandboxedEnvironment):
    """Includes are looked up within the language of the text that includes them."""

    def join_path(self, template: str, parent: str) -> str:
        return f"{parent.split('/', 1)[0]}/{template}"


class Language:
    """Words, dates and rendering of one language."""

    def __init__(self, code: str, folder: TemplateFolder) -> None:
        self.code = code
        self._folder = folder
        self._sandbox = _Sandbox(
            loader=_Loader(folder),
            undefined=StrictUndefined,
            finalize=self._finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,  # an included block ends its line
            autoescape=False,  # plain text; an HTML part is made from the finished text and escaped there
        )
        self._sandbox.globals.clear()
        self._subjects: dict[str, Template] = {}
        own = {"lines": _lines, "quoted": _quoted, "kept": _kept, "day": self.day, "cap": cap, "line": one_line}
        self._sandbox.filters = {name: own.get(name) or self._sandbox.filters[name] for name in FILTERS}

    @cached_property
    def words(self) -> dict[str, Any]:
        """`words.toml`: names of rights, outcomes and grounds, months and weekdays, phrases of the checklist."""
        path = self._folder.find(f"{self.code}/words.toml")
        if path is None:
            raise ConfigurationError([f"{self.code}/words.toml: missing in the template folders. Put it back."])
        try:
            return {**tomllib.loads(path.read_text(encoding="utf-8")), "code": self.code}
        except (OSError, ValueError) as error:
            raise ConfigurationError([f"{path}: {error}. Mend the file."]) from error

    def written(self, day: date) -> str:
        """3.11.2026, or 3 November 2026 in English; a moment adds its time of day."""
        text = f"{day.day}.{day.month}.{day.year}"
        if self.code == "en":
            text = f"{day.day} {self.words['months'][day.month - 1]} {day.year}"
        return f"{text} {self.words['clock']} {day:%H.%M}" if isinstance(day, datetime) else text

    def day(self, day: date) -> str:
        """The date with its weekday: "ti 3.11.2026"; what is no date is left as it is."""
        return f"{self.words['weekdays'][day.weekday()]} {self.written(day)}" if isinstance(day, date) else str(day)

    def problems(self, file: TemplateFile) -> list[str]:
        """What is not allowed in a template of this language."""
        return problems_of(self._sandbox, file, FILTERS)

    def render(self, file: TemplateFile, facts: Mapping[str, Any]) -> tuple[str, str]:
        """Subject and body, not yet filled to lines.

        Raises ConfigurationError for an unknown fact or a template that can not be rendered, BadInputError for a text
        beyond MAX_OUTPUT.
        """
        try:
            return self._subject(file.header.subject).render(facts), self._bounded(file.name, facts)
        except UndefinedError as error:
            raise ConfigurationError([f"{file.path}: {error.message}. Use a fact that it is given."]) from error
        except (TemplateError, TypeError, ValueError, LookupError, RecursionError) as error:
            raise ConfigurationError([f"{file.path}: can not be rendered: {error}. Mend the template."]) from error

    def _subject(self, source: str) -> Template:
        """A subject ready to be filled in: each is compiled once."""
        if source not in self._subjects:
            self._subjects[source] = self._sandbox.from_string(source)
        return self._subjects[source]

    def _bounded(self, name: str, facts: Mapping[str, Any]) -> str:
        pieces: list[str] = []
        size = 0
        for piece in self._sandbox.get_template(name).generate(facts):
            size += len(piece)
            if size > MAX_OUTPUT:
                raise BadInputError(f"{name} grew beyond {MAX_OUTPUT} characters", "Give it shorter texts.")
            pieces.append(piece)
        return "".join(pieces)

    def _finalize(self, value: Any) -> Any:
        if isinstance(value, date):
            return self.written(value)
        if isinstance(value, str) and not isinstance(value, Kept):
            return clean(str(value))
        return value


def cap(text: str) -> str:
    """The text with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def _lines(text: str) -> Kept:
    """Each line as an item of a list."""
    lines = (line.strip(" \t-•*") for line in clean(text).split("\n"))
    return Kept("\n".join(f"- {line}" for line in lines if line))


def _quoted(text: str) -> Kept:
    """Each line as a quotation; long ones are folded."""
    lines = (part for line in clean(text).strip().split("\n") for part in folded(line, WIDTH - 2))
    return Kept(keep("\n".join(f"> {line}".rstrip() for line in lines)))


def _kept(text: str) -> Kept:
    """Each line as it is."""
    return Kept(keep(clean(text).strip("\n")))
