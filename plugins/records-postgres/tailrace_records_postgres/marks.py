"""The marks of values in SQL of ours, in PostgreSQL's way of writing them; and texts that PostgreSQL can't hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

NUL = "\ufdd0\ufdd1"
"""Stands for U+0000, which PostgreSQL has no place for: two code points that Unicode keeps free for such use."""

_PART = re.compile(r"'[^']*'|--[^\n]*|\?(\d*)( IS NULL)?")


@lru_cache(maxsize=2048)
def numbered(sql: str) -> str:
    """`?` and `?1` as `$1`. An unnumbered mark gets the number after the largest so far, as in SQLite.

    A mark that is nowhere but before `IS NULL` has no type of its own; it counts as text.
    """
    largest = 0

    def number(found: re.Match[str]) -> str:
        nonlocal largest
        if not found[0].startswith("?"):
            return found[0]
        fresh = not found[1]
        position = largest + 1 if fresh else int(found[1])
        largest = max(largest, position)
        if found[2]:
            return f"${position}{'::text' if fresh else ''} IS NULL"
        return f"${position}"

    return _PART.sub(number, sql)


def storable(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values with U+0000 exchanged for its stand-in, and halves of surrogate pairs for U+FFFD."""
    return tuple(map(_storable, values))


def _storable(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_storable, value))
    return _whole(value) if isinstance(value, str) else value


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", NUL)


def restored(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with U+0000 where it was."""
    for row in rows:
        for value in row:
            if value.__class__ is str and NUL in value:
                return [tuple(one.replace(NUL, "\0") if isinstance(one, str) else one for one in row) for row in rows]
    return rows
