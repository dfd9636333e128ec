"""The page of all previews: complete, escaped, and free of anything from outside."""

from html.parser import HTMLParser

from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.template_page import preview_page
from mailbot.gateway.template_preview import preview
from mailbot.gateway.templates import Renderer


class _Reader(HTMLParser):
    """Counts articles and remembers the tags and attributes that were used."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_page_shows_every_text() -> None:
    """One article a text, in its language, and nothing that loads or runs."""
    entries = preview(Renderer([shipped("templates")]), load_profile("jalo-it", shipped("rules")))
    reader = _Reader()
    reader.feed(preview_page(entries, "Jalo IT Oy"))
    assert reader.tags.count("article") == len(entries)
    assert not set(reader.tags) & {"script", "img", "link", "iframe", "a", "form"}
    assert not reader.attributes & {"src", "href", "style", "onclick"}


def test_markup_in_a_text_is_shown_as_text() -> None:
    """What looks like markup is escaped, in the text, the subject and the title."""
    entry = {"template": "<b>", "language": "en", "subject": "<script>", "text": "<img src=x>"}
    page = preview_page([entry], "<title>")
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page
    assert "&lt;title&gt;" in page
