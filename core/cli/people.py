"""Values as people read them: sizes, durations, times, cells of tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.host.plain import plain


def size(count: int | None) -> str:
    """Bytes: `980 B`, `53.9 KiB`."""
    if count is None:
        return "-"
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1023.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1024:.1f} TiB"


def duration(seconds: float | None) -> str:
    """Seconds: `0.42 s`, `12.3 s`, `1 m 05 s`, `2 h 03 m`; `-` when it is not known."""
    if seconds is None:
        return "-"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} m"


def iso_time(at: int | None) -> str | None:
    """Microseconds since 1970 UTC → ISO 8601 with microseconds, in UTC."""
    if at is None:
        return None
    seconds, micros = divmod(at, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def short_time(at: int | None) -> str:
    """The same to the second: `2025-05-01T10:00:00Z`."""
    return "-" if at is None else f"{(iso_time(at) or '')[:19]}Z"


def wall_clock(at: int) -> str:
    """Microseconds since 1970 UTC → `12:03:01` of this machine's zone."""
    return datetime.fromtimestamp(at / 1_000_000).strftime("%H:%M:%S")


def one_line(text: str, width: int = 60) -> str:
    """A text in one line of at most `width` characters."""
    line = " ".join(text.split()) if len(text) <= 4 * width else " ".join(text[: 4 * width].split()) + "…"
    return line if len(line) <= width else line[: width - 1] + "…"


def scalar(value: Any) -> str:
    """A value that is no map or list as text: `null`, `true`, numbers and dates as they are written."""
    shown = plain(value)
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def cell(value: Any, width: int = 60) -> str:
    """A value as one cell of a table; null is empty, maps and lists are compact JSON."""
    return "" if value is None else one_line(scalar(value), width)


def facts(summary: Mapping[str, Any], width: int = 60) -> str:
    """A summary as `name=value` pairs."""
    return one_line(", ".join(f"{name}={cell(value)}" for name, value in summary.items()), width)
