"""Signatures and disclaimers are cut here, only when sure: they name every right and would make a request of any mail.

Sure is: a telephone's own line; what follows "-- "; the footer of a list; fine print at the end of what was written
that opens with a known formula. A paragraph in which a person speaks of themself ("my", "minun", "jag") is never fine
print, and a postscript is never a signature. Everything else stays, as names and titles do.
"""

import re

from mailbot.mail.patterns import MAX_LINE, ReadingPatterns

_DECORATION = re.compile(r"[\s\-_*=~#+.|]*")
_LEADING = re.compile(r"^[\s\-_*=~#+|>\[]+")
_POSTSCRIPT = re.compile(r"(?:p\.? ?s\.?|ps|nb|obs|huom)\b", re.I)
_RULE = re.compile(r"_{10,}\s*")
_MAX_SIGNATURE_LINES = 15
_MAX_FOOTER_LINES = 40
_MAX_FINE_PRINT = 200  # lines of one paragraph; fine print is long, but not so long
_MAX_SIGNATURE = 1500  # characters below "--"


def trim(lines: list[str], patterns: ReadingPatterns) -> tuple[list[str], list[str]]:
    """One stretch of the writer's lines as (kept, cut); both keep their order and together hold every line."""
    kept: list[str] = []
    cut: list[str] = []
    for line in lines:
        (cut if _is_phone_line(line, patterns) else kept).append(line)
    for step in (_cut_list_footer, _cut_signature, _cut_disclaimers):
        kept, more = step(kept, patterns)
        cut += more
    return kept, cut


def _is_phone_line(line: str, patterns: ReadingPatterns) -> bool:
    stripped = line.strip()
    return 0 < len(stripped) <= 120 and bool(patterns.phone_signature.fullmatch(stripped))


def _cut_list_footer(lines: list[str], patterns: ReadingPatterns) -> tuple[list[str], list[str]]:
    for at in range(max(0, len(lines) - _MAX_FOOTER_LINES), len(lines) - 1):
        if not _RULE.fullmatch(lines[at]):
            continue
        below = "\n".join(lines[at + 1 : at + 3])
        if patterns.list_footer.search(below[:MAX_LINE]) and not _personal(lines[at + 1 :], patterns):
            return lines[:at], lines[at:]
    return lines, []


def _cut_signature(lines: list[str], patterns: ReadingPatterns) -> tuple[list[str], list[str]]:
    """What follows a line "-- " (RFC 3676 4.3), unless it is long, personal, or all there is."""
    for at in _separators(lines):
        below = lines[at + 1 :]
        postscript = next((n for n, one in enumerate(below) if _POSTSCRIPT.match(one.strip())), len(below))
        if any(one.strip() for one in lines[:at]) and not _personal(below[:postscript], patterns):
            return lines[:at] + below[postscript:], [lines[at], *below[:postscript]]
    return lines, []


def _separators(lines: list[str]) -> list[int]:
    """Where "-- " stands with so little below that it can be a signature; the uppermost first."""
    found: list[int] = []
    filled = size = 0
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at].strip()
        if line == "--":
            found.append(at)
        filled += bool(line)
        size += len(line)
        if filled > _MAX_SIGNATURE_LINES or size > _MAX_SIGNATURE:
            break
    return found[::-1]


def _cut_disclaimers(lines: list[str], patterns: ReadingPatterns) -> tuple[list[str], list[str]]:
    """Paragraphs of fine print, taken from the end upwards until a paragraph is not."""
    end = len(lines)
    while end:
        start = _paragraph_start(lines, end)
        if all(_DECORATION.fullmatch(line) for line in lines[start:end]):
            if end == len(lines) and not _fine_print_above(lines, start, patterns):
                break
            end = start
            continue
        opening = _opening(lines[start:end], patterns)
        if opening is None:
            break
        end = start + opening
        if opening:
            break
    while end < len(lines) and end and lines[end - 1].strip() and _DECORATION.fullmatch(lines[end - 1]):
        end -= 1
    return lines[:end], lines[end:]


def _paragraph_start(lines: list[str], end: int) -> int:
    start = end
    while start and not lines[start - 1].strip():
        start -= 1
    while start and lines[start - 1].strip():
        start -= 1
    return start


def _fine_print_above(lines: list[str], end: int, patterns: ReadingPatterns) -> bool:
    start = _paragraph_start(lines, end)
    return start < end and _opening(lines[start:end], patterns) is not None


def _opening(paragraph: list[str], patterns: ReadingPatterns) -> int | None:
    """The index of the line at which fine print begins in this paragraph, or None."""
    if len(paragraph) > _MAX_FINE_PRINT:
        return None
    for at, line in enumerate(paragraph):
        head = _LEADING.sub("", line[:MAX_LINE])
        opens = patterns.disclaimer.match(head) or (
            patterns.disclaimer_label.match(head)
            and patterns.disclaimer_words.search("\n".join(paragraph[at : at + 12])[: MAX_LINE * 5])
        )
        if opens:
            return None if _personal(paragraph[at:], patterns) else at
    return None


def _personal(lines: list[str], patterns: ReadingPatterns) -> bool:
    return any(patterns.personal.search(line) for line in lines)
