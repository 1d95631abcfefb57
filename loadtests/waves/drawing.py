"""Small drawings as SVG: lines over time, each named at its end. No script, no style attribute."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 260, 60, 150, 16, 30
TICKS = 4
STEPS = (1, 2, 2.5, 5, 10)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name and its points, seconds first."""

    name: str
    points: Sequence[Point]


def chart(title: str, series: Sequence[Series], unit: str, marks: Sequence[tuple[float, str]] = ()) -> str:
    """Return one drawing; `marks` are instants with a word, drawn as vertical lines."""
    points = [point for one in series for point in one.points]
    if not points:
        return f"<p>{escape(title)} : rien n’a été mesuré.</p>"
    longest = max(1.0, *(x for x, _ in points))
    top = rounded(max(y for _, y in points))
    body = [*_axis(longest, top, unit), *(_mark(x, word, longest) for x, word in marks if 0 <= x <= longest)]
    for position, one in enumerate(series):
        body += _line(one, position, longest, top)
    words = f"<title>{escape(title)}</title>"
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"{words}{''.join(body)}</svg></figure>"
    )


def rounded(value: float) -> float:
    """Return a round number that is not below `value`."""
    if value <= 0:
        return 1.0
    scale = 10.0 ** len(str(int(value))) / 10 if value >= 1 else 0.1
    return next((step * scale for step in STEPS if step * scale >= value), 10 * scale)


def _place(x: float, y: float, longest: float, top: float) -> tuple[float, float]:
    across = LEFT + (WIDTH - LEFT - RIGHT) * x / longest
    return round(across, 1), round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(y, top) / top, 1)


def _axis(longest: float, top: float, unit: str) -> list[str]:
    found = []
    for tick in range(TICKS + 1):
        value = top * tick / TICKS
        _, down = _place(0, value, longest, top)
        found.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down}" y2="{down}"/>')
        found.append(
            f'<text class="tick" x="{LEFT - 6}" y="{down + 4}" text-anchor="end">{value:g} {escape(unit)}</text>'
        )
        across, _ = _place(longest * tick / TICKS, 0, longest, top)
        words = f"{longest * tick / TICKS / 60:.1f} min"
        found.append(f'<text class="tick" x="{across}" y="{HEIGHT - 8}" text-anchor="middle">{words}</text>')
    return found


def _mark(x: float, word: str, longest: float) -> str:
    across, _ = _place(x, 0, longest, 1)
    line = f'<line class="mark" x1="{across}" x2="{across}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
    return f'{line}<text class="tick" x="{across + 3}" y="{TOP + 8}">{escape(word)}</text>'


def _line(one: Series, position: int, longest: float, top: float) -> list[str]:
    if not one.points:
        return []
    places = [_place(x, y, longest, top) for x, y in one.points]
    path = " ".join(f"{x},{y}" for x, y in places)
    legend = TOP + 12 + 16 * position
    kind = f"line line-{position % 8}"
    left = WIDTH - RIGHT + 12
    return [
        f'<polyline class="{kind}" points="{path}"/>',
        f'<line class="{kind}" x1="{left}" x2="{left + 18}" y1="{legend - 4}" y2="{legend - 4}"/>',
        f'<text class="tick" x="{left + 24}" y="{legend}">{escape(one.name)}</text>',
    ]
