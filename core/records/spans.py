"""Which parts of a table can have rows of some dates, by what `time_spans` knows of its blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.records.database import Database
from core.records.queries import Dates

BLOCK = 1024
"""Rows whose dates are known together: as many `seq` as the migrations say."""
Segment = tuple[int, int]
"""From a `seq` to one that is not within."""
END = 2**62


def segments(
    database: Database, table: str, organization: str, dates: Dates, within: Segment, *, newest_first: bool
) -> Iterator[Segment]:
    """The parts of a segment that can have rows of these dates, in the order of the walk."""
    fits, values = _fits(dates)
    if not values:
        yield within
        return
    (top,) = database.read(f"top_block_of_{table}")[0]  # from this one on nothing is known

    def edge(block: int, condition: str) -> int | None:
        """The next block of the walk that is known, from this one on, and (does not) fit."""
        best, beyond = ("max", "<=") if newest_first else ("min", ">=")
        sql = f"SELECT {best}(block) FROM time_spans WHERE rows_of = ? AND organization_id = ? AND block {beyond} ?"
        bound = (table, organization, block, top, *values)
        found = database.select(f"{sql} AND block < ? AND {condition}", bound)[0][0]
        return None if found is None else int(found)

    yield from (_down if newest_first else _up)(edge, fits, top, within)


def _down(edge: Any, fits: str, top: int, within: Segment) -> Iterator[Segment]:
    low, high = within
    block = (high - 1) // BLOCK
    while high > low:
        first = block if block >= top else edge(block, fits)
        if first is None:
            return
        last = edge(first, f"NOT ({fits})")
        start = 0 if last is None else (last + 1) * BLOCK
        yield max(low, start), min(high, (first + 1) * BLOCK)
        if last is None:
            return
        high, block = start, last - 1


def _up(edge: Any, fits: str, top: int, within: Segment) -> Iterator[Segment]:
    low, high = within
    block = low // BLOCK
    while low < high:
        first = block if block >= top else edge(block, fits)
        if first is None:
            first = top
        last = None if first >= top else edge(first, f"NOT ({fits})")
        stop = END if last is None else last * BLOCK
        yield max(low, first * BLOCK), min(high, stop)
        if last is None:
            return
        low, block = stop, last + 1


def _fits(dates: Dates) -> tuple[str, tuple[int, ...]]:
    """What a block must be like to have rows of these dates."""
    parts: list[str] = []
    values: list[int] = []
    for name, (after, before) in (("created", dates.created), ("updated", dates.updated)):
        if after is not None:
            parts.append(f"{name}_to >= ?")
            values.append(after)
        if before is not None:
            parts.append(f"{name}_from < ?")
            values.append(before)
    return " AND ".join(parts), tuple(values)
