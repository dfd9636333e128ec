"""HTML becomes text as a reader would see it: whole words, a line per block, nothing hidden, quotations marked with ">
".

`<b>poist</b>atte` stays one word because only block elements break a line. An indented `blockquote` is a quotation
only when it says so (type=cite, a quote's class, a rule at its left): writers indent their own words too. Markup
beyond `MAX_TAGS` tags is outlined without a tree, because tree builders need quadratic time on hostile nesting.
"""

import re
from dataclasses import dataclass
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_TAGS = 8000  # 8,000 nested elements take the tree builder 0.2 s, 100,000 took 100 s
_MAX_CHARS = 4_000_000
_MAX_QUOTES = 9  # quotation levels written; deeper ones look alike


def _tags(names: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", names))


_PARAGRAPHS = _tags("p blockquote h1 h2 h3 h4 h5 h6 ul ol dl table pre")
_BLOCKS = _PARAGRAPHS | _tags(
    "address article aside body center dd details div dt fieldset figcaption figure footer form header hr html li main "
    "nav option section summary tbody tfoot thead tr title"
)
_SILENT = _tags("head script style template noscript object iframe svg math select textarea audio video")
_CELLS = frozenset(("td", "th"))
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?:px|pt|em)?\s*(?:;|$)"
)
_TIGHT = re.compile(r"margin(?:-bottom)?\s*:\s*0")
_QUOTE_CLASS = re.compile(r"(?:^|\s)(?:gmail_quote|yahoo_quoted|protonmail_quote|moz-cite|cite|quote)")
_LEFT_RULE = re.compile(r"border-left\s*:(?!\s*(?:0|none|medium none))")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_ENDINGS = {"<!--": "-->", "<script": "</script", "<style": "</style", "<head>": "</head", "<title": "</title"}
_OPENER = re.compile("|".join(map(re.escape, _ENDINGS)))
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})([^<>]{0,4000})>|<[!?][^<>]{0,4000}>")
_PICTURE = re.compile(r"data:[^\s\"'<>]{1000,}")  # pictures written into the page
_IMAGE = re.compile(r"<img\b", re.I)
_BLANKS = re.compile(r"\n{3,}")


@dataclass(frozen=True, kw_only=True)
class HtmlText:
    """What a page says, and whether it shows pictures."""

    text: str
    images: bool  # at least one <img>: a page without words may still say something
    complete: bool = True  # False when the page was longer than is read
    tags: int = 0


class _Page:
    """Collects words into lines. A line is written when it holds something, behind the marks of its quotation level."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        self.quotes = 0
        self.exact = False  # the words being collected keep their spaces

    def say(self, text: str, *, exact: bool = False) -> None:
        if not exact:
            self.words.append(_SPACE.sub(" ", text))
            return
        self.exact = True
        *lines, rest = text.replace("\r\n", "\n").split("\n")
        for line in lines:
            self.words.append(line)
            self.lines.append((self._mark() + "".join(self.words)).rstrip())
            self.words.clear()
        self.words.append(rest)

    def end_line(self) -> None:
        line = "".join(self.words)
        line = line.rstrip() if self.exact else line.replace("  ", " ").strip(" \xa0")
        if line:
            self.lines.append(self._mark() + line)
        elif any("\xa0" in word for word in self.words):
            self.blank()  # a paragraph that holds only a hard space is how Outlook writes an empty line
        self.words.clear()
        self.exact = False

    def blank(self) -> None:
        """An empty line, unless there is one already."""
        mark = self._mark().rstrip()
        if self.lines and self.lines[-1] != mark:
            self.lines.append(mark)

    def _mark(self) -> str:
        level = min(self.quotes, _MAX_QUOTES)
        return ">" * level + " " if level else ""

    def text(self) -> str:
        self.end_line()
        return _BLANKS.sub("\n\n", "\n".join(self.lines)).strip("\n")


def to_text(html: str, tags: int = MAX_TAGS) -> HtmlText:
    """The text of an HTML body. Never raises for any string; `tags` is how many tags may be built into a tree."""
    cut = (_PICTURE.sub("", html) if len(html) > _MAX_CHARS else html)[:_MAX_CHARS].replace("\x00", "")
    count = cut.count("<")
    text = _outline(cut) if count > min(tags, MAX_TAGS) else _from_tree(cut)
    return HtmlText(text=text, images=bool(_IMAGE.search(cut)), complete=len(html) <= _MAX_CHARS, tags=count)


def _from_tree(html: str) -> str:
    body = LexborHTMLParser(_SURROGATE.sub("\ufffd", html)).body
    page = _Page()
    stack: list[tuple[LexborNode, str]] = [(body, "")] if body is not None else []
    while stack:
        node, closing = stack.pop()
        if closing:
            _close(page, closing)
            continue
        if node.is_text_node:
            _speak(page, node)
            continue
        tag = node.tag or ""
        if not node.is_element_node or tag in _SILENT or _is_hidden(node):
            continue
        stack.append((node, _open(page, tag, node)))
        children = list(node.iter(include_text=True))
        stack.extend((child, "") for child in reversed(children))
    return page.text()


def _speak(page: _Page, node: LexborNode) -> None:
    parent = node.parent
    page.say(node.text_content or "", exact=parent is not None and parent.tag == "pre")


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    style = attributes.get("style")
    return "hidden" in attributes or bool(style and _HIDDEN.search(style.lower()))


def _open(page: _Page, tag: str, node: LexborNode) -> str:
    """Begin an element; the answer is what `_close` must end."""
    if tag == "br":
        if page.words:
            page.end_line()
        else:
            page.blank()
        return "br"
    if tag in _CELLS:
        page.say(" ")
        return tag
    if tag not in _BLOCKS:
        return "inline"
    page.end_line()
    attributes = node.attributes if tag in ("p", "blockquote") else {}
    if tag == "blockquote" and _is_quotation(attributes):
        page.blank()
        page.quotes += 1
        return "quotation"
    if tag == "p" and _is_tight(attributes):
        return "div"
    if tag in _PARAGRAPHS:
        page.blank()
    return tag


def _close(page: _Page, tag: str) -> None:
    if tag in _BLOCKS:
        page.end_line()
        if tag in _PARAGRAPHS:
            page.blank()
    elif tag == "quotation":
        page.end_line()
        page.quotes -= 1
        page.blank()


def _is_quotation(attributes: dict[str, str | None]) -> bool:
    style = (attributes.get("style") or "").lower()
    return (
        (attributes.get("type") or "").lower() == "cite"
        or "cite" in attributes
        or bool(_QUOTE_CLASS.search((attributes.get("class") or "").lower()))
        or bool(_LEFT_RULE.search(style))
    )


def _is_tight(attributes: dict[str, str | None]) -> bool:
    """Outlook and others write every line as a paragraph without margins."""
    return "Mso" in (attributes.get("class") or "") or bool(_TIGHT.search((attributes.get("style") or "").lower()))


def _outline(html: str) -> str:
    """Text of a page too deep or too long for a tree: tags are dropped, blocks end a line, quotations are counted."""
    page = _Page()
    last = 0
    html = _drop(html)
    for match in _TAG.finditer(html):
        if match.start() > last:
            page.say(unescape(html[last : match.start()]))
        last = match.end()
        tag = (match.group(2) or "").lower()
        if tag == "blockquote":
            page.end_line()
            page.quotes = max(0, page.quotes + (-1 if match.group(1) else 1))
        elif tag in _BLOCKS or tag == "br":
            page.end_line()
            if tag in _PARAGRAPHS:
                page.blank()
        elif tag in _CELLS:
            page.say(" ")
    page.say(unescape(html[last:]))
    return page.text()


def _drop(html: str) -> str:
    """Comments, scripts and styles taken out, each found by its own end so that an unclosed one costs one look."""
    out: list[str] = []
    last = 0
    lower = html.lower()
    if len(lower) != len(html):  # a letter whose lower case is longer would shift every place
        return html
    unclosed: set[str] = set()
    for match in _OPENER.finditer(lower):
        opener = match.group(0)
        if match.start() < last or opener in unclosed:
            continue
        ending = _ENDINGS[opener]
        end = lower.find(ending, match.end())
        if end < 0:
            unclosed.add(opener)
            continue
        out.append(html[last : match.start()])
        last = end + len(ending) if ending == "-->" else html.find(">", end, end + 200) + 1 or end + len(ending)
    out.append(html[last:])
    return "".join(out)
