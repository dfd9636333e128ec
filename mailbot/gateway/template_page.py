"""All previews as one HTML page for proof-reading: side by side, light and dark, nothing fetched from anywhere.

Every text is escaped; the page holds no script and no link.
"""

import html
from collections.abc import Mapping, Sequence

Entry = Mapping[str, str | None]
_NAMES = {"fi": "suomi", "sv": "svenska", "en": "English"}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 140rem; padding: 0 1rem; }
section { border-top: 1px solid gray; padding: 0.5rem 0; }
h2 { font-size: 1rem; overflow-wrap: anywhere; }
.row { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 44rem), 1fr)); }
pre { white-space: pre-wrap; font: 0.85rem/1.45 ui-monospace, monospace; margin: 0.25rem 0; }
"""


def preview_page(entries: Sequence[Entry], title: str) -> str:
    """One page: a section for each text, its languages beside each other in the order given."""
    sections = "\n".join(_section(name, found) for name, found in _by_template(entries).items())
    heading = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{heading}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{heading}</h1>\n<main>\n{sections}\n</main></body></html>\n"
    )


def _by_template(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(str(entry["template"]), []).append(entry)
    return found


def _section(name: str, entries: Sequence[Entry]) -> str:
    texts = "\n".join(_text(entry) for entry in entries)
    return f'<section><h2>{html.escape(name)}</h2>\n<div class="row">\n{texts}\n</div></section>'


def _text(entry: Entry) -> str:
    language = str(entry["language"])
    subject, text = html.escape(str(entry["subject"])), html.escape(str(entry["text"]))
    return (
        f'<article lang="{html.escape(language)}"><p>{_NAMES.get(language, language)}: <strong>{subject}</strong></p>'
        f"<pre>{text}</pre></article>"
    )
