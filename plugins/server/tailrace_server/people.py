"""Numbers, times and addresses as people read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

SECOND = 1_000_000
UNITS = ("B", "KB", "MB", "GB", "TB")


def href(path: str, **query: Any) -> str:
    """An address with a query; what is None, empty or False is left out, lists are repeated."""
    pairs = [
        (name, str(one).lower() if one is True else one)
        for name, value in query.items()
        for one in (value if isinstance(value, (list, tuple)) else (value,))
        if one is not None and one != "" and one is not False
    ]
    return f"{path}?{urlencode(pairs, errors='replace')}" if pairs else path


def duration(seconds: float | None) -> str:
    """`3.2 s`, `4 min 5 s`, `2 h 3 min`; "" without any."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def size(number: int | None) -> str:
    """Bytes for people, in thousands; "" without any."""
    if number is None:
        return ""
    amount, unit = float(number), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{number} B" if unit == 0 else f"{amount:.3g} {UNITS[unit]}"


def iso(at: int) -> str:
    """A time of the records in ISO 8601."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(at: int | None) -> Markup:
    """A time of the records: UTC as written, in the reader's own zone where scripts run; "" without any."""
    if at is None:
        return Markup("")
    text = datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return Markup('<time datetime="{}">{}</time>').format(iso(at), text)


def ago(seconds: float) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `12 d ago`; `times.js` says the same as time goes on."""
    minutes = max(0, int(seconds)) // 60
    if not minutes:
        return "just now"
    if minutes < 90:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d ago"


def scalar(value: Any) -> str:
    """As JSON writes it; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def plural(number: int, one: str, many: str = "") -> str:
    """`1 task`, `1 200 tasks`."""
    return f"{counted(number)} {one if number == 1 else many or one + 's'}"


def counted(number: int) -> str:
    """`1 200`."""
    return f"{number:,}".replace(",", "\u202f")
