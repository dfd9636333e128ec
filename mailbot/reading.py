"""All that reads and judges mail and understands staff, made from the shipped rules.

Most rounds meet no mail: `wiring.py` loads this with the first message, so that a start pays neither for these modules
nor for their patterns.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from mailbot.core.classify import Verdict, read_by_rules
from mailbot.core.command import understand
from mailbot.core.command_values import Commands
from mailbot.core.command_words import CommandWords
from mailbot.core.message import Message
from mailbot.flows.understand import Understanding
from mailbot.gateway.command_rules import load_commands
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook
from mailbot.gateway.second_reader import load_second_reader
from mailbot.mail.parse import read_message
from mailbot.mail.patterns import ReadingPatterns


class Reader:
    """Reads bytes and judges messages; rules are loaded with the first message, not before."""

    def __init__(
        self, overrides: Path | None = None, default_language: str = "unknown", *, second: bool = True
    ) -> None:
        self._overrides = overrides
        self._default_language = default_language
        self._second = second

    @cached_property
    def patterns(self) -> ReadingPatterns:
        """The patterns by which mail is taken apart; they were checked when they were made."""
        return load_reading_patterns(shipped("rules"), check=False)

    @cached_property
    def understanding(self) -> Understanding:
        """Rules and second reader. The shipped rules were checked when they were made, one's own are checked here."""
        return Understanding(
            rulebook=load_rulebook(shipped("rules"), self._overrides, whole=self._overrides is not None),
            second_reader=load_second_reader(shipped("rules")) if self._second else None,
            default_language=self._default_language,
            patterns=self.patterns,
        )

    @property
    def version(self) -> str:
        """The version of the rules, once they were needed; "" before."""
        loaded = self.__dict__.get("understanding")
        return loaded.rulebook.version if loaded else ""

    def warm(self) -> None:
        """Loads patterns and rules now. Raises ConfigurationError when they are wrong."""
        assert self.understanding  # a cached property: reading it loads it

    def warm_in(self, language: str) -> None:
        """Loads the rules of a language too, for a process that waits for mail in it."""
        rules = self.understanding.rulebook.for_language(language)
        assert rules is not None  # `other` stands in for a language without rules of its own
        read_by_rules("hello", rules)  # what a language's rules need is made with the first text in it

    def read(self, raw: bytes) -> Message:
        """Bytes to a message; never raises."""
        return read_message(raw, self.patterns)

    def judge(self, message: Message) -> Verdict:
        """A message to a verdict; never raises."""
        return self.understanding.judge(message)


class CommandReader:
    """Understands staff; its words are loaded with the first command."""

    @cached_property
    def _words(self) -> CommandWords:
        return load_commands(shipped("rules"))

    def __call__(self, visible_text: str, attachments: Sequence[str], /) -> Commands:
        """What a reply of staff would do."""
        return understand(visible_text, attachments, words=self._words)
