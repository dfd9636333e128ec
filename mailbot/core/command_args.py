"""Reads the arguments of staff commands out of the words behind them. Text in, values out; nothing is decided here."""

import re
from collections.abc import Sequence

from mailbot.core.command_words import CommandWords, Token, fold
from mailbot.core.rights import Right

_ARROW = re.compile(r"\s*(?:→|⟶|➜|➔|⇒|[-–—=]{1,2}>)\s*")
_NAME = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
_VALUE = re.compile(rf"\b((?:{_NAME}\.)?{_NAME})\s*=\s*([^\n;]+)", re.IGNORECASE)
_DATE = re.compile(r"\b(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})?)")
_MAX_LINE = 500  # characters of a line that are read as facts
_LEAD = " \t\n:=,;.!-–—*_"


def has_arrow(line: str) -> bool:
    """Whether a line says that one thing becomes another."""
    parts = _ARROW.split(line[:_MAX_LINE])
    return len(parts) > 1 and all(part.strip() for part in parts)


def has_values(line: str) -> bool:
    """Whether a line sets a named fact: `kept_until = 2030`."""
    return _VALUE.search(line[:_MAX_LINE]) is not None


def facts(text: str) -> dict[str, object] | None:
    """`name = value` as values; anything else as text, with its pairs where it holds arrows."""
    if not text:
        return None
    values = {name.lower(): value.strip(" ,.") for name, value in _VALUE.findall(text)}
    if values and not has_arrow(text):
        return {"values": values}
    pairs = [pair for line in re.split(r"[\n;]|,\s", text) if (pair := _pair(line))]
    return {"text": text, "pairs": pairs} if pairs else {"text": text}


def _pair(line: str) -> dict[str, str] | None:
    parts = [part.strip(" .,") for part in _ARROW.split(line, maxsplit=1)]
    return {"old": parts[0], "new": parts[1]} if len(parts) == 2 and all(parts) else None


def bare_facts(text: str, line: tuple[int, int]) -> dict[str, object] | None:
    """A line that is only `old → new`."""
    said = text[slice(*line)].strip()
    return facts(said) if has_arrow(said) else None


def clean_tail(text: str, words: CommandWords, language: str) -> str:
    """Free text without the marks and the "because" before it and the "and" behind it."""
    text = text.lstrip(_LEAD)
    while text and not _VALUE.match(text):  # "ground = excessive" names a fact, not a reason
        first = words.tokens(text[:40])[:1]
        if not first or first[0].start or first[0].folded not in words.tongues[language].reasons:
            break
        text = text[first[0].end :].lstrip(_LEAD)
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text).rstrip(" \t\n,;–—-")
    last = words.tokens(text[-12:])[-1:]
    if last and last[0].folded in words.conjunctions and text.endswith(last[0].text):
        text = text[: -len(last[0].text)].rstrip(" \t\n,;")
    return text


def without_object(text: str, words: CommandWords) -> str:
    """A reason without the draft that it names first: "the draft, the tone is harsh" gives "the tone is harsh"."""
    named = re.match(r"([^,;:.–—\n]{1,40})[,;:.–—]\s*(?=\S)", text)
    said = [token.folded for token in words.tokens(named[1])] if named else []
    known = all(word in words.not_sendable or any(word in one for one in words.fillers.values()) for word in said)
    return text[named.end() :] if named and known and any(word in words.not_sendable for word in said) else text


def rights(tokens: Sequence[Token], words: CommandWords) -> list[Right]:
    """The rights that are named, in the order of `Right`."""
    return [right for right in Right if any(token.folded in words.rights[right] for token in tokens)]


def names_request(text: str, words: CommandWords) -> bool:
    """Whether a text speaks of a request ("poistopyyntö", "begäran om", "access request")."""
    folded = fold(text)
    return any(part in folded for part in words.request_words)


def refusal(text: str, words: CommandWords) -> dict[str, object]:
    """Ground and reasons of a refusal; the ground only where the words name one."""
    tokens = words.tokens(text)
    matches = (words.grounds.longest(tokens, at, len(tokens), words.no_skip) for at in range(len(tokens)))
    found = [match for match in matches if match is not None]
    given: dict[str, object] = {"ground": max(found, key=lambda match: match.size).phrase.meaning} if found else {}
    reasons = (_without_ground(text, words) if found else text) or text
    if reasons:
        given["reasons"] = reasons
    return given


def _without_ground(text: str, words: CommandWords) -> str:
    """The reasons behind a ground that is named first: "excessive, asked every week" gives "asked every week"."""
    named = re.match(r"([^,;:.–—\n]+)(?:[,;:.–—\n]+\s*|$)", text)
    tokens = words.tokens(named[1]) if named else []
    at = 0
    while at < len(tokens):
        match = words.grounds.longest(tokens, at, len(tokens), words.no_skip)
        if match is None:
            return text
        at = match.end
    return text[named.end() :].strip() if named else text


def assignee(tokens: Sequence[Token], words: CommandWords) -> str | None:
    """Who shall take over: an address, or one to three names."""
    said = [token for token in tokens if not _is_word(token, words)]
    address = next((token.text for token in said if "@" in token.text), None)
    if address:
        return address
    named = [token for token in said if token.text[:1].isupper()] or said
    return " ".join(token.text for token in named[:3]) if named and len(said) <= 4 else None


def _is_word(token: Token, words: CommandWords) -> bool:
    return any(token.folded in fillers for fillers in words.fillers.values())


def answered(said: str, words: CommandWords) -> dict[str, object]:
    """When and how a request was answered outside; a date without a year stays as written."""
    given: dict[str, object] = {}
    found = _DATE.search(said)
    if found:
        year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
        given["on"] = f"{int(year):04}-{int(month):02}-{int(day):02}" if year else found.group().strip()
    tokens = words.tokens(said)
    how = [name for name, kinds in words.channels.items() if any(token.folded in kinds for token in tokens)]
    if how:
        given["how"] = how[0]
    return given


def named_files(said: str, files: Sequence[str]) -> tuple[str, ...]:
    """The files of the mail that are meant: those named in the sentence, or else all."""
    folded = fold(said)
    named = tuple(name for name in files if fold(name) in folded)
    return named or tuple(files)


def open_lines(text: str, words: CommandWords) -> tuple[list[str], int]:
    """Checklist lines left open that are named at the beginning of `text`, and how long that part is."""
    line = text.split("\n", 1)[0]
    folded = fold(line)
    for tongue in words.tongues.values():
        contrast = "|".join(sorted(tongue.doubts["contrast"].exact))
        lead = rf"^\W*(?:(?:{contrast})\W+)?"
        nouns, states, keys = ("|".join(part) for part in (tongue.open_lines, tongue.open_words, tongue.open_keys))
        numbered = re.match(
            rf"{lead}(?:(?:{keys})\W+)?(?:{nouns})\s+(\d+(?:\s*(?:,|ja|och|and|&)\s*\d+)*)\s+(?:\w+\s+){{0,2}}?(?:{states})\b",
            folded,
        )
        if numbered:
            return re.findall(r"\d+", numbered[1]), numbered.end()
        listed = re.match(rf"{lead}(?:{keys})(?:\s+(?:{states}|{nouns}))?\s*:\s*(\S[^.!?]*)", folded)
        if listed:
            said = line[listed.start(1) : listed.end(1)]
            return [part.strip() for part in re.split(r",|\bja\b|\boch\b|\band\b", said) if part.strip()], listed.end()
    return [], 0
