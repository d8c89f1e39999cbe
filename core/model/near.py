"""Near misses: what somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def near_misses(word: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The names most like a word, best first. Segments after the last dot decide: `Return` means `debug.Return`."""
    from difflib import get_close_matches  # noqa: PLC0415 - only needed when something is wrong already

    segments: dict[str, list[str]] = {}
    for name in names:
        segments.setdefault(_last_segment(name), []).append(name)
    found: list[str] = []
    for segment in get_close_matches(_last_segment(word), segments, n=limit, cutoff=0.65):
        found.extend(get_close_matches(word, segments[segment], n=limit, cutoff=0.0))
    return tuple(found[:limit])


def did_you_mean(near: tuple[str, ...]) -> str:
    """The question to ask the user, or "" when nothing is near."""
    return f"did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""


def _last_segment(name: str) -> str:
    return name.rpartition(".")[2].lower()
