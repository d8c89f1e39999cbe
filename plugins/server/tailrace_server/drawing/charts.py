"""What a list of task outputs amounts to, as pictures of SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from markupsafe import Markup

from core.host.overviews import DayCount, SummaryPoint, TaskDurations
from tailrace_server.people import duration, iso

STATUSES = ("completed", "stale", "failed", "running", "queued", "deleted")
"""From the bottom of a bar to its top."""
WIDTH, HEIGHT, LEFT, FOOT = 640, 220, 48, 22
"""Of a picture, in its own units; room for what stands beside and below the axes."""
DAYS = 60
"""That a picture shows at most, the newest."""
BARS = 12
"""Tasks that the picture of durations shows."""


def days_chart(counts: Sequence[DayCount]) -> Markup:
    """A bar for each day, the days without any included, so that gaps are seen; coloured by status."""
    if not counts:
        return Markup("")
    by_day: dict[str, dict[str, int]] = defaultdict(dict)
    for one in counts:
        by_day[one.day][one.status] = one.count
    days = _days(by_day)
    top = nice(max(sum(by_day.get(day, {}).values()) for day in days))
    step = (WIDTH - LEFT) / max(len(days), 7)
    parts = [_axes(top, f"{top:g}")]
    for number, day in enumerate(days):
        x, below = LEFT + number * step, 0
        for status in STATUSES:
            count = by_day.get(day, {}).get(status, 0)
            if count:
                high, low = _y(below + count, top), _y(below, top)
                parts.append(Markup(
                    '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                    "<title>{}: {} {}</title></rect>"
                ).format(status, x + 1, high, max(step - 2, 0.5), low - high, day, count, status))  # fmt: skip
                below += count
    parts.append(_foot([(LEFT + step / 2, days[0]), (LEFT + (len(days) - 0.5) * step, days[-1])][: len(days)]))
    return _picture(parts, f"Outputs per day by status, {days[0]} to {days[-1]}")


def durations_chart(durations: Sequence[TaskDurations]) -> Markup:
    """A line for each task, the slowest first: from nothing to the longest, with marks at the median and the p95."""
    shown = sorted(durations, key=lambda one: -one.p95)[:BARS]
    if not shown:
        return Markup("")
    top = max(one.longest for one in shown) or 1.0
    row, left = 22, 150
    parts = []
    for number, one in enumerate(shown):
        y, scale = number * row + 5, (WIDTH - left - 70) / top
        name = one.task_name if len(one.task_name) < 22 else f"{one.task_name[:20]}…"
        parts.append(Markup(
            '<text x="{}" y="{}" text-anchor="end">{}</text>'
            '<rect class="span" x="{}" y="{}" width="{:.1f}" height="12">'
            "<title>{}: median {}, p95 {}, longest {} of {}</title></rect>"
            '<rect class="mark" x="{:.1f}" y="{}" width="3" height="12"/>'
            '<rect class="mark" x="{:.1f}" y="{}" width="3" height="12"/><text x="{:.1f}" y="{}">{}</text>'
        ).format(left - 8, y + 10, name, left, y, max(one.longest * scale, 1.0), one.task_name, duration(one.median),
                 duration(one.p95), duration(one.longest), one.count, left + one.median * scale, y,
                 left + one.p95 * scale, y, left + one.longest * scale + 6, y + 10, duration(one.longest)))  # fmt: skip
    return _picture(parts, "Durations by task: median, p95 and longest", len(shown) * row + 8)


def points_chart(points: Sequence[SummaryPoint]) -> Markup:
    """A number of the summary over time."""
    if not points:
        return Markup("")
    first, last = points[0].at, points[-1].at
    lowest, highest = min(0.0, *(one.value for one in points)), max(0.0, *(one.value for one in points))
    reach = (highest - lowest) or 1.0
    places = [
        (LEFT + 6 + (one.at - first) / ((last - first) or 1) * (WIDTH - LEFT - 16), _y(one.value - lowest, reach))
        for one in points
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [_axes(reach, f"{highest:g}", f"{lowest:g}"), Markup('<polyline class="line" points="{}"/>').format(line)]
    for one, (x, y) in zip(points, places, strict=True):
        parts.append(Markup(
            '<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3"><title>{} {}: {:g}</title></circle>'
        ).format(x, y, one.task_name, iso(one.at), one.value))  # fmt: skip
    parts.append(_foot([(places[0][0], _minute(first)), (places[-1][0], _minute(last))]))
    return _picture(parts, "The field over time")


def _minute(at: int) -> str:
    return f"{iso(at)[:16].replace('T', ' ')} UTC"


def nice(number: float) -> float:
    """The next 1, 2 or 5 times a power of ten: where an axis ends."""
    power = 1.0
    while power * 10 < number:
        power *= 10
    return next(step * power for step in (1, 2, 5, 10) if step * power >= number)


def _days(by_day: Iterable[str]) -> list[str]:
    found = sorted(by_day)
    last = date.fromisoformat(found[-1])
    first = max(date.fromisoformat(found[0]), last - timedelta(days=DAYS - 1))
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def _y(value: float, top: float) -> float:
    return (HEIGHT - FOOT) - value / top * (HEIGHT - FOOT - 12)


def _axes(top: float, highest: str, lowest: str = "0") -> Markup:
    return Markup(
        '<line class="axis" x1="{0}" y1="{1}" x2="{2}" y2="{1}"/>'
        '<line class="axis" x1="{0}" y1="{3}" x2="{2}" y2="{3}"/>'
        '<text x="{4}" y="{5}" text-anchor="end">{6}</text><text x="{4}" y="{7}" text-anchor="end">{8}</text>'
    ).format(LEFT, _y(0, top), WIDTH, _y(top, top), LEFT - 6, _y(top, top) + 4, highest, _y(0, top), lowest)


def _foot(texts: Sequence[tuple[float, str]]) -> Markup:
    """Words below the axis; the last one ends where the picture does."""
    anchored = [("middle" if 60 < x < WIDTH - 60 else "start" if x <= 60 else "end", x, text) for x, text in texts]
    return Markup("").join(
        Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            {"middle": x, "start": LEFT, "end": WIDTH}[anchor], HEIGHT - 6, anchor, text
        )
        for anchor, x, text in anchored
    )


def _picture(parts: Iterable[Markup], label: str, height: int = HEIGHT) -> Markup:
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, label, Markup("").join(parts)
    )
