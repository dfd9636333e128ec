"""Rendered text to lines of 72 columns: paragraphs are filled, everything else is left as its author set it.

A line is left alone when it starts with MARK (which is removed), with "> " or with white space outside a list. List
items ("- ", "1. ") are filled with a hanging indent. Nothing is ever cut: a word longer than a line stands alone.
"""

import re
import textwrap

WIDTH = 72  # columns, RFC 5322 2.1.1 recommends at most 78
MARK = "\x1e"  # record separator: stands before a line that stays as it is; never survives from data

_ITEM = re.compile(r"(?:[-•*] |\d{1,2}[.)] )")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Text from outside without control characters; line breaks are "\\n" and tabs stay."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """Text from outside as one line of at most `limit` characters; a cut is shown by an ellipsis."""
    line = _SPACE.sub(" ", clean(text)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def keep(text: str) -> str:
    """Every line marked to stay as it is."""
    return "\n".join(MARK + line for line in text.split("\n"))


def fill(text: str, width: int = WIDTH) -> str:
    """The text with its paragraphs filled, no more than one empty line in a row, ending in a line break."""
    out: list[str] = []
    block: list[str] = []

    def flush() -> None:
        if block:
            out.extend(_fill_block(" ".join(block), width))
            block.clear()

    for line in text.split("\n"):
        bare = line.rstrip()
        if bare.startswith(MARK):
            flush()
            out.append(bare[1:])
        elif not bare:
            flush()
            if out and out[-1]:
                out.append("")
        elif _ITEM.match(bare):
            flush()
            block.append(bare)
        elif block or not (bare[0].isspace() or bare.startswith(">")):
            block.append(bare.strip())
        else:
            out.append(bare)
    flush()
    return "\n".join(out).strip("\n") + "\n"


def folded(line: str, width: int) -> list[str]:
    """A line as it is, or as several when it is longer than `width`."""
    if len(line) <= width:
        return [line]
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]


def _fill_block(paragraph: str, width: int) -> list[str]:
    """One paragraph or list item as lines."""
    item = _ITEM.match(paragraph)
    hang = " " * len(item[0]) if item else ""
    return textwrap.wrap(paragraph, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
