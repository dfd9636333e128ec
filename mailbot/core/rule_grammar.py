"""The grammar of rule files: word patterns, items of phrases, and the plain values of a rule.

A pattern is literal letters, `*` and written-out alternatives, so matching is linear in the word whatever a file says.
"""

import re
from collections.abc import Mapping
from itertools import product
from typing import Any

from mailbot.core.rulebook import RIGHT_NAMES
from mailbot.core.words import MAX_WORD, plain

REFERENCE = re.compile(r"<([a-z_0-9]+)>")
GAP = re.compile(r"\.\.(\d?)")
GROUP = re.compile(r"\(([^()]*)\)")
MOST_FORMS = 64  # word forms of one pattern after its alternatives are written out
_MOST_STARS = 3
_ORDINARY = re.compile(r"(?!.*(.)\1\1)[a-z0-9åäö*]+")  # letters that are their own plain form, none three times
_MOSTGAP = 9  # words a single gap may skip; more is a matter of `near`
_KEYS = {
    "rule": {"name", "right", "weight", "when", "near", "across", "ordered", "where", "with", "unless", "without",
             "negation", "yes", "no"},
    "counter": {"name", "factor", "scope", "rights", "when", "near", "across", "ordered", "where", "with", "unless",
                "without", "negation", "yes", "no"},
    "flag": {"name", "flag", "when", "near", "across", "ordered", "where", "with", "unless", "without", "negation",
             "yes", "no"},
}  # fmt: skip


def choices(text: str) -> list[str]:
    """The alternatives of an item, divided by "|" outside brackets."""
    if "(" not in text:
        return text.split("|")
    depth, parts = 0, [""]
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def written_out(pattern: str) -> list[str]:
    """Every form of a pattern with alternatives in brackets: "tie(to|do)t" is "tietot" and "tiedot"."""
    if "(" not in pattern:
        return [pattern]
    pieces: list[list[str]] = []
    at = 0
    for group in GROUP.finditer(pattern):
        pieces += [[pattern[at : group.start()]], group[1].split("|")]
        at = group.end()
    pieces.append([pattern[at:]])
    return ["".join(choice) for choice in product(*pieces)]


def parts_of(form: str) -> tuple[str, ...]:
    """The literal parts of a form, in the plain form in which words are compared."""
    parts = form.split("*")
    return tuple(parts) if _ORDINARY.fullmatch(form) else tuple(plain(part) if part else "" for part in parts)


def impossible(form: str) -> str:
    """Why no word can ever have this form, or it would cost too much; "" when all is well."""
    if _ORDINARY.fullmatch(form) and len(form) <= MAX_WORD and form.count("*") <= 1 < len(form.strip("*")):
        return ""
    letters = form.replace("*", "")
    if form.count("*") > _MOST_STARS or "**" in form:
        return f"at most {_MOST_STARS} stars, none beside each other"
    if len(plain(letters)) < (2 if "*" in form else 1):
        return "a pattern needs letters"
    if len(letters) > MAX_WORD:
        return f"words of more than {MAX_WORD} letters are not read"
    if letters != letters.lower():
        return "words are compared in small letters"
    if not all(letter.isalnum() or letter in "-'’_:./," for letter in letters):
        return "only letters, figures, * and (a|b)"
    if any(plain(part) != part.translate(str.maketrans("", "", "-'’:")) for part in form.split("*") if part):
        return "no letter stands more than twice in a row"
    return ""


def faults(table: Mapping[str, Any], kind: str) -> list[str]:
    """What is wrong with the plain values of a rule."""
    faults: list[str] = []
    if unknown := set(table) - _KEYS[kind]:
        faults.append(f"unknown key {', '.join(sorted(unknown))}")
    if not table.get("name"):
        faults.append("needs a name")
    if not table.get("when"):
        faults.append("needs at least one element in `when`")
    if kind == "rule" and table.get("right") not in RIGHT_NAMES:
        faults.append(f"right must be one of {', '.join(sorted(RIGHT_NAMES))}")
    if kind == "rule" and not 0 < float(table.get("weight", 0)) < 1:
        faults.append("weight must lie between 0 and 1")
    if kind == "counter" and not 0 <= float(table.get("factor", 1)) < 1:
        faults.append("factor must be below 1")
    if kind == "flag" and not table.get("flag"):
        faults.append("needs a flag")
    if int(table.get("near", 8)) < len(table.get("when", ())) - 2:
        faults.append("can never fire: near is too small for its elements")
    if table.get("where", "any") not in {"any", "subject", "body"}:
        faults.append("where must be any, subject or body")
    if table.get("scope", "mail") not in {"mail", "sentence"}:
        faults.append("scope must be mail or sentence")
    if table.get("negation", "stops") not in {"stops", "ignored"}:
        faults.append("negation must be stops or ignored")
    return faults
