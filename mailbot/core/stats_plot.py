"""The figures of the months as a picture: bars in a terminal, or an SVG that any browser shows.

Made of text alone. Nothing but numbers and month names stands in either; each picture says in words what it shows, so
it can be read without seeing it.
"""

from collections.abc import Iterator, Sequence

from mailbot.core.stats import Month, Stats

MONTHS_SHOWN = 24
WIDTH, HEIGHT = 720, 300  # pixels of the picture
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 40, 52  # pixels around the plot
GRID_LINES = 4
_STYLE = (
    "svg{font:12px sans-serif;background:#fff}text{fill:#222}.grid{stroke:#ccc}.received{fill:#8aa4b8}"
    ".on_time{fill:#2a7f62}.late{fill:#b3261e}"
    "@media (prefers-color-scheme:dark){svg{background:#111}text{fill:#eee}.grid{stroke:#444}}"
)


def stats_bars(stats: Stats, width: int = 72) -> str:
    """The last months as lines of at most `width` columns: what came, and what was answered in time (█) or late (▒)."""
    months = stats.months[-MONTHS_SHOWN:]
    if not months:
        return "No request has been received yet.\n"
    most = _most(months)
    digits = len(str(most))
    room = max(4, width - len("2026-11  answered ") - digits - 1)
    lines = []
    for month in months:
        lines.append(f"{month.name}  received {_bar(month.received, most, room, '─')} {month.received}")
        in_time = _bar(month.on_time, most, room, "█")
        late = _bar(month.late, most, room - len(in_time), "▒")
        lines.append(f"{'':7}  answered {in_time}{late} {month.answered}")
    lines.append(f"{'':9}─ received  █ answered in time  ▒ answered late")
    return "\n".join(lines) + "\n"


def stats_svg(stats: Stats) -> str:
    """The last months as an SVG document: for each a bar of what came, and one of what was answered, late on top."""
    months = stats.months[-MONTHS_SHOWN:]
    top = _round_up(_most(months))
    parts = [*_grid(top), *_bars(months, top), *_legend()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-labelledby="title desc">\n<title id="title">Requests by month</title>\n'
        f'<desc id="desc">{_in_words(months)}</desc>\n<style>{_STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _most(months: Sequence[Month]) -> int:
    return max((max(month.received, month.answered) for month in months), default=0)


def _bar(count: int, most: int, room: int, character: str) -> str:
    """At least one character for anything above nothing."""
    return character * max(1, count * room // most) if count and room > 0 else ""


def _round_up(most: int) -> int:
    """The top of the scale: a multiple of the grid lines, so that each line stands at a whole number."""
    return max(1, -(-most // GRID_LINES)) * GRID_LINES


def _height(count: int, top: int) -> float:
    return round(count / top * (HEIGHT - TOP - BOTTOM), 1)


def _grid(top: int) -> Iterator[str]:
    base = HEIGHT - BOTTOM
    for step in range(GRID_LINES + 1):
        count = top * step // GRID_LINES
        y = base - _height(count, top)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:g}" x2="{WIDTH - RIGHT}" y2="{y:g}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:g}" text-anchor="end">{count}</text>'


def _bars(months: Sequence[Month], top: int) -> Iterator[str]:
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(months))
    bar = min(24.0, slot * 0.38)
    every = -(-len(months) // 12)
    for place, month in enumerate(months):
        middle = LEFT + slot * (place + 0.5)
        yield _rect("received", middle - bar, bar, 0, month.received, top)
        yield _rect("on_time", middle, bar, 0, month.on_time, top)
        yield _rect("late", middle, bar, month.on_time, month.late, top)
        if place % every == 0:
            yield f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{month.name}</text>'


def _rect(kind: str, x: float, width: float, below: int, count: int, top: int) -> str:
    height = _height(count, top)
    y = HEIGHT - BOTTOM - _height(below, top) - height
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:g}"/>'


def _legend() -> Iterator[str]:
    for place, (kind, words) in enumerate(
        (("received", "received"), ("on_time", "answered in time"), ("late", "answered late"))
    ):
        x = LEFT + place * 150
        yield f'<rect class="{kind}" x="{x}" y="14" width="12" height="12"/>'
        yield f'<text x="{x + 18}" y="24">{words}</text>'


def _in_words(months: Sequence[Month]) -> str:
    if not months:
        return "No request has been received yet."
    return "; ".join(
        f"{month.name}: {month.received} received, {month.answered} answered, {month.late} late" for month in months
    )
