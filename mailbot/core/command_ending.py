"""What stands behind a writer's name: a signature, or one more thing that was said.

A signature has a closed form: a name, titles, firms, numbers, addresses, links, opening hours, and a disclaimer that
speaks to strangers. Whatever else stands there was written by hand and is read as the body is, so that a doubt below a
name weighs as much as one above it. It can only take back: nothing behind a signature gives an order.
"""

import re
from collections.abc import Sequence

from mailbot.core.command_reading import Own
from mailbot.core.command_values import Action
from mailbot.core.command_words import CommandWords, Token, fold

_CONTACT = re.compile(
    r"<?(?:mailto:|https?://|www\.)[^\s|,>]+>?|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:[\w-]+\.)+(?:com|net|org|eu|fi|se|ax|example)\b"
    r"(?:/[^\s|,]*)?|\+?\(?\d[\d\s()./-]{3,}\d"
)
_PART = re.compile(r"[,|•·;/\t]| {2,}| [-–—] ")
_SENTENCE = re.compile(r"(?<=[.!])\s+")
_SHORT = 4  # words; a disclaimer has no shorter sentence


def beyond_signature(own: Own, words: CommandWords) -> str:
    """The lines of the ending that no signature has, to be read as the body is."""
    lines = own.text[own.ending : own.again].splitlines()
    hosts = fold(" ".join(found.group() for line in lines for found in _CONTACT.finditer(line)))
    rest, at, name = [], 0, ""
    while at < len(lines):
        stop = next((end for end in range(at, len(lines)) if not lines[end].strip()), len(lines))
        if lines[at].strip() and _is_disclaimer(" ".join(lines[at:stop]), words):
            at = stop
            continue
        said = _behind_greeting(lines[at], words)
        if said.strip():
            if not _is_signature_line(said, words, hosts, name):
                rest.append(said)
            name = name or fold(said)
        at += 1
    return "\n".join(rest)


def _behind_greeting(line: str, words: CommandWords) -> str:
    """The line without a closing greeting that begins it, and without the dash before a name."""
    line = line.lstrip(" \t-–—/~*_")
    folded = fold(line)
    for phrase in sorted(words.furniture.sign_offs + words.furniture.weak_sign_offs, key=len, reverse=True):
        if folded.startswith(phrase) and not folded[len(phrase) : len(phrase) + 1].isalnum():
            return line[len(phrase) :].lstrip(" \t.,:!-–—/")
    return line


def _is_signature_line(line: str, words: CommandWords, hosts: str, name: str) -> bool:
    """Whether every part of a line belongs to a signature. The first may be a name alone, and a later one repeat it."""
    if "?" in line:
        return False
    contact = bool(_CONTACT.search(line))
    if ":" in line and not contact:
        return False  # "Sales: slow down" says something of them
    parts = [words.tokens(part) for part in _PART.split(_CONTACT.sub(" , ", line).replace("–", "-"))]
    parts = [part for part in parts if part]
    furnished = contact or any(token.folded in words.furniture.signature for part in parts for token in part)
    for number, part in enumerate(parts):
        again = part[0].folded in name.split()
        if number == 0 and (not name or again) and _is_first_name(part, words):
            continue
        if not (_is_hours(part, words) or _is_part(part, words, hosts, furnished=furnished)):
            return False
    return True


def _is_first_name(part: Sequence[Token], words: CommandWords) -> bool:
    """ "Anna", "maija", "Maija M.": a name in small letters is one word."""
    if len(part) > 3 or any(_speaks(part, at, words) for at in range(len(part))):
        return False
    initials = all(len(token.text) == 1 for token in part[1:])
    return initials or all(_has_capital(token) for token in part)


def _has_capital(token: Token) -> bool:
    return any(char.isupper() for char in token.text)


def _is_part(part: Sequence[Token], words: CommandWords, hosts: str, *, furnished: bool) -> bool:
    """A title, a firm, an address; capitals alone only beside one of these or as the name of a host below."""
    signs = [token.folded in words.furniture.signature for token in part]
    for at, token in enumerate(part):
        if not signs[at] and not token.text.isdigit() and (not _has_capital(token) or _doubts(part, at, words)):
            return False
    plain = [at for at, token in enumerate(part) if not signs[at] and not token.text.isdigit()]
    if any(signs) or not plain:
        return any(signs) or furnished
    if any(_speaks(part, at, words) for at in plain):
        return False
    return furnished or all(part[at].folded in hosts for at in plain)


def _is_hours(part: Sequence[Token], words: CommandWords) -> bool:
    """ "Avoinna ma-pe 9-16": days in a row and numbers."""
    furniture = words.furniture
    days = any(token.folded in furniture.opening_days for token in part)
    return days and all(
        token.folded in furniture.opening_days or token.folded in furniture.opening_words or token.text[0].isdigit()
        for token in part
    )


def _doubts(part: Sequence[Token], at: int, words: CommandWords) -> bool:
    """Whether a word doubts, orders or reports."""
    folded = part[at].folded
    if folded in words.no_names or any(
        folded in tongue.done or any(folded in doubt for doubt in tongue.doubts.values())
        for tongue in words.tongues.values()
    ):
        return True
    return words.commands.longest(part, at, len(part), words.no_skip) is not None


def _speaks(part: Sequence[Token], at: int, words: CommandWords) -> bool:
    """Whether a word is known for anything else than a name."""
    filler = len(part[at].text) > 1 and any(part[at].folded in tongue.fillers for tongue in words.tongues.values())
    return filler or _doubts(part, at, words)


def _is_disclaimer(text: str, words: CommandWords) -> bool:
    """ "This message is confidential ...": its first sentence says so of the message, no sentence orders anything."""
    if "?" in text:
        return False
    furniture = words.furniture
    sentences = [words.tokens(sentence) for sentence in _SENTENCE.split(text.strip())]
    first = [token.folded for token in sentences[0]]
    of_message = any(word in furniture.messages for word in first[:4])
    secret = any(word in furniture.secret for word in first)
    intended = any(word in furniture.intended for word in first) and any(word in furniture.alone for word in first)
    if not of_message or not (secret or intended):
        return False
    whole = words.tokens(text)
    orders = (words.commands.longest(whole, at, len(whole), words.no_skip) for at in range(len(whole)))
    if any(match.phrase.meaning in {Action.APPROVE, Action.REJECT} for match in orders if match):
        return False
    told = furniture.disclaimer
    return all(len(one) >= _SHORT and any(token.folded in told for token in one) for one in sentences)
