"""Letters and documents on paper: A4 pages as PDF, made from the same plain text that a mail would carry.

The same words give the same bytes, whatever the day or the machine's clock, so that an approval of the file is an
approval of what is printed. Lines that were wrapped for a screen flow again; an address keeps its lines. Text is only
ever text: nothing in it is markup. A letter's address field fits a window envelope (DIN 5008 form B).
"""

import importlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from mailbot.errors import ConfigurationError

WRAPPED_AT = 72  # columns at which plain text was wrapped
MARGIN = 20.0  # millimetres, left and right
TOP, BOTTOM = 20.0, 22.0
ADDRESS_TOP, ADDRESS_WIDTH, ADDRESS_LINES = 47.0, 80.0, 7  # the window: 20 mm from the left, 45 mm from the top
BODY_TOP = 100.0
RIGHT_COLUMN = 125.0
SIZE, SMALL, TITLE = 11.0, 9.0, 16.0  # points
LINE = 5.2  # millimetres from line to line at SIZE
INDENT = 5.0  # of a list item
KEPT_TOGETHER = 25.0  # millimetres: a heading with less room below it begins the next page
PAGES = "\x1fpages\x1f"  # stands for the number of pages; `_printable` lets no such character through

# Free fonts with the letters of every European language; the first pair found is used.
FONTS = (
    ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf"),
    ("dejavu-sans-fonts/DejaVuSans.ttf", "dejavu-sans-fonts/DejaVuSans-Bold.ttf"),
    ("TTF/DejaVuSans.ttf", "TTF/DejaVuSans-Bold.ttf"),
    ("noto/NotoSans-Regular.ttf", "noto/NotoSans-Bold.ttf"),
    ("liberation/LiberationSans-Regular.ttf", "liberation/LiberationSans-Bold.ttf"),
)
FONT_STARTS = (b"\x00\x01\x00\x00", b"OTTO", b"true")  # TrueType and OpenType
FOLDERS = tuple(Path(name) for name in ("/usr/share/fonts/truetype", "/usr/share/fonts", "/usr/local/share/fonts"))

_ITEM = re.compile(r"\s*([-•*]|\d{1,2}[.)])\s+(?=\S)")
_UNDERLINE = re.compile(r"[=-]{3,}")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Font:
    """The files of a Unicode font."""

    regular: Path
    bold: Path


@dataclass(frozen=True, kw_only=True)
class Line:
    """One paragraph, list item, address line or heading, ready to be set."""

    text: str
    mark: str = ""  # "-" or "1." of a list item
    heading: bool = False
    opens: bool = False  # first of a block: space stands before it


def letter_pdf(
    text: str,
    *,
    sender: Sequence[str],
    recipient: Sequence[str],
    language: str,
    day: date,
    subject: str = "",
    reference: str = "",
    font: Font | None = None,
) -> bytes:
    """An A4 letter ready to be printed, signed and put into a window envelope.

    `sender` and `recipient` are address lines, the name first. Raises ConfigurationError when the extra `letters` or a
    font is missing.
    """
    paper = _paper(language, day, subject or reference or sender[0], font)
    _column(paper, MARGIN, TOP, 90.0, sender, SMALL)
    _column(paper, RIGHT_COLUMN, TOP, 65.0, [day_in_words(day, language), reference], SMALL)
    _column(paper, MARGIN, ADDRESS_TOP, ADDRESS_WIDTH, _fitting(recipient), SIZE)
    paper.set_y(BODY_TOP)
    if subject:
        _set(paper, Line(text=" ".join(subject.split()), heading=True), SIZE)
    _body(paper, text)
    return bytes(paper.output())


def document_pdf(title: str, text: str, *, language: str, day: date, font: Font | None = None) -> bytes:
    """A document with a title: a register description, a dossier. Raises ConfigurationError as `letter_pdf` does.

    A line underlined with === or --- is a heading.
    """
    paper = _paper(language, day, title, font)
    _set(paper, Line(text=" ".join(title.split()), heading=True), TITLE)
    _column(paper, MARGIN, paper.get_y(), 100.0, [day_in_words(day, language)], SMALL)
    paper.ln(LINE)
    _body(paper, text)
    return bytes(paper.output())


def day_in_words(day: date, language: str) -> str:
    """The date as a letter in that language writes it: 3.11.2026, 3 November 2026."""
    if language in ("fi", "sv"):
        return f"{day.day}.{day.month}.{day.year}"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def find_font(folders: Sequence[Path] = FOLDERS) -> Font:
    """The first of FONTS that is installed. Raises ConfigurationError naming the cure."""
    for folder in folders:
        for regular, bold in FONTS:
            if (folder / regular).is_file() and (folder / bold).is_file():
                return Font(regular=folder / regular, bold=folder / bold)
    raise ConfigurationError(
        ["letters: no font with every European letter was found; install one (Debian: apt install fonts-dejavu-core)"]
    )


def flowing(text: str) -> Iterator[Line]:
    """The lines to set: what was wrapped for a screen is one line again, short lines keep their breaks."""
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip("\n")):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        opens = True
        while lines:
            if len(lines) > 1 and _UNDERLINE.fullmatch(lines[1].strip()):
                yield Line(text=lines[0].strip(), heading=True, opens=True)
                lines = lines[2:]
            else:
                taken, joined = _joined(lines)
                item = _ITEM.match(joined)
                words = joined[item.end() :] if item else joined
                yield Line(text=words.strip(), mark=item[1] if item else "", opens=opens)
                lines = lines[taken:]
            opens = False


def _joined(lines: Sequence[str]) -> tuple[int, str]:
    """How many lines belong together, and their text."""
    joined, taken = lines[0], 1
    in_item = _ITEM.match(joined) is not None
    for before, line in itertools.pairwise(lines):
        continues = line[0].isspace() if in_item else len(before) + 1 + len(line.split(" ", 1)[0]) > WRAPPED_AT
        if _ITEM.match(line) or not continues:
            break
        joined, taken = f"{joined} {line.strip()}", taken + 1
    return taken, joined


def _fitting(recipient: Sequence[str]) -> list[str]:
    """The address in the lines that the window shows; the last one holds what is over."""
    lines = [line.strip() for line in recipient if line.strip()]
    return [*lines[: ADDRESS_LINES - 1], ", ".join(lines[ADDRESS_LINES - 1 :])]


def _paper(language: str, day: date, title: str, font: Font | None) -> Any:
    """An empty document on its first page, dated by the letter and never by the clock."""
    try:
        library = importlib.import_module("fpdf")
    except ImportError as error:
        raise ConfigurationError(["letters: PDF needs one more package; install mailbot[letters]"]) from error
    chosen = font or find_font()
    paper = _with_page_numbers(library.FPDF)(format="A4", unit="mm")
    for style, file in (("", chosen.regular), ("B", chosen.bold)):
        _check_font(file)
        paper.add_font("body", style, file)
    paper.alias_nb_pages(PAGES)
    paper.set_creation_date(datetime.combine(day, time(), UTC))
    paper.set_lang(language)
    paper.set_title(" ".join(title.split()))
    paper.set_margins(MARGIN, TOP, MARGIN)
    paper.set_auto_page_break(auto=True, margin=BOTTOM)
    paper.add_page()
    return paper


def _check_font(file: Path) -> None:
    """Looks before the library does: it leaves a file open that it does not understand."""
    try:
        with file.open("rb") as handle:
            is_font = handle.read(4) in FONT_STARTS
    except OSError as error:
        raise ConfigurationError([f"letters: the font {file} can not be read ({error.strerror})"]) from error
    if not is_font:
        raise ConfigurationError([f"letters: {file} is no font; install one (Debian: apt install fonts-dejavu-core)"])


def _with_page_numbers(base: Any) -> Any:
    """The library's document with "1 (2)" at the foot of each page, as Finnish letters have it."""

    class Paper(base):  # type: ignore[misc] # the library is loaded only when a letter is made
        def footer(self) -> None:
            self.set_y(-15)
            self.set_font("body", size=SMALL)
            self.cell(0, 5, f"{self.page_no()} ({PAGES})", align="R")

    return Paper


def _body(paper: Any, text: str) -> None:
    for line in flowing(text):
        if line.heading and paper.get_y() > paper.page_break_trigger - KEPT_TOGETHER:
            paper.add_page()
        elif line.opens:
            paper.ln(LINE * 0.6)
        _set(paper, line, SIZE)


def _set(paper: Any, line: Line, size: float) -> None:
    paper.set_font("body", "B" if line.heading else "", size)
    if line.mark:
        paper.set_x(MARGIN)
        paper.cell(INDENT + max(0.0, paper.get_string_width(line.mark) - 3.0), LINE, _printable(paper, line.mark))
    height = LINE * size / SIZE
    paper.multi_cell(0, height, _printable(paper, line.text), align="L", new_x="LMARGIN", new_y="NEXT")


def _column(paper: Any, x: float, y: float, width: float, lines: Sequence[str], size: float) -> None:
    paper.set_font("body", "", size)
    paper.set_xy(x, y)
    for line in lines:
        if line:
            paper.multi_cell(width, LINE * size / SIZE, _printable(paper, line), align="L", new_x="LEFT", new_y="NEXT")


def _printable(paper: Any, text: str) -> str:
    """The text in letters that the font has; others are shown as a question mark, never silently left out."""
    known = paper.current_font.cmap
    return "".join(char if ord(char) in known else "?" for char in " ".join(text.split()))
