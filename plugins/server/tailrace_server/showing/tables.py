"""Tables: rows of a list or a file, one page of them, with what heads each column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from attrs import frozen
from markupsafe import Markup

from core.host.kinds import is_list, type_word
from core.host.plain import plain_text
from core.sdk import is_storage_uri
from tailrace_server.people import counted, plural
from tailrace_server.showing.links import Links
from tailrace_server.showing.trees import heading, linked, scalar, size_word, visible

NUMBERS = frozenset({"whole number", "number"})
"""The words of `core.host.kinds` for what has an order of numbers."""
ROWS = 50
"""Of one page."""
COLUMNS = 100
"""That are shown."""
SORTED = 200_000
"""A list with more rows is not sorted: that would take too long in this process."""
LOOKED_AT = 1000
"""Rows of a list that decide about its columns."""
CELL = 200
"""Characters of one cell."""


@frozen
class Summed:
    """A column summed up. facts: (what, how much) in the order they are shown; top: the most frequent values."""

    facts: tuple[tuple[str, str], ...] = ()
    top: tuple[tuple[str, int], ...] = ()


@frozen
class Column:
    """sort: where a click on its head leads, "" when it can't be sorted by. sorted: `ascending`, `descending` or ""."""

    name: str
    type: str
    sort: str = ""
    sorted: str = ""
    summed: Summed | None = None

    @property
    def look(self) -> str:
        """The class of its cells: numbers stand at the right, dates and the like on one line."""
        return "number" if self.type in NUMBERS else "line" if self.type in ("date", "date and time", "time") else ""


@frozen
class Table:
    """One page of a table. first: the number of its first row, from 1. count: of all rows, None when nobody counted.

    summary: where its columns are summed up, or "" when they are already, or nothing can. note: what is left out.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Markup, ...], ...]
    first: int = 1
    count: int | None = None
    newer: str = ""
    older: str = ""
    summary: str = ""
    note: str = ""

    @property
    def words(self) -> str:
        """`rows 51–100 of 2 000`."""
        if not self.rows:
            return "no rows"
        last = self.first + len(self.rows) - 1
        if self.count is not None and self.first == 1 and last == self.count:
            return plural(self.count, "row")
        words = f"rows {counted(self.first)}–{counted(last)}"
        return words if self.count is None else f"{words} of {counted(self.count)}"


@frozen
class Rows:
    """A page of rows before it is made a table. cells: values by column; more: whether others follow."""

    columns: tuple[tuple[str, str], ...]
    cells: Sequence[Sequence[Any]]
    more: bool
    count: int | None = None
    sortable: bool = True
    hidden: int = 0
    notes: tuple[str, ...] = ()


def table(rows: Rows, links: Links, summed: Mapping[str, Summed] | None = None) -> Table:
    """A page of rows with its links. summed: the columns summed up, None when nobody asked."""
    first = links["from"] or 0
    heads = tuple(_column(name, kind, links, rows.sortable, (summed or {}).get(name)) for name, kind in rows.columns)
    shown = tuple(
        tuple(
            cell(value, partial(links.to, row=first + number, column=name, from_=None, summary=None))
            for value, (name, _) in zip(row, rows.columns, strict=True)
        )
        for number, row in enumerate(rows.cells)
    )
    notes = list(rows.notes)
    if rows.hidden:
        notes.append(f"{plural(rows.hidden, 'more column')} not shown")
    return Table(
        heads, shown, first + 1, rows.count,
        newer=links.to(from_=max(0, first - ROWS)) if first else "",
        older=links.to(from_=first + len(rows.cells)) if rows.more else "",
        summary="" if summed is not None or not shown else links.to(summary=True),
        note="; ".join(notes),
    )  # fmt: skip


def _column(name: str, kind: str, links: Links, sortable: bool, summed: Summed | None) -> Column:
    """A column's head: the first click sorts upwards, the second downwards, the third not at all."""
    now = links["sort"] or ""
    upwards, downwards = now == name, now == f"-{name}"
    following = f"-{name}" if upwards else None if downwards else name
    sort = links.to(sort=following, from_=None) if sortable else ""
    return Column(heading(name), kind, sort, "ascending" if upwards else "descending" if downwards else "", summed)


def cell(value: Any, address: Callable[[], str]) -> Markup:
    """One cell. address: gives where all of it is."""
    if isinstance(value, Mapping) or is_list(value):
        return linked(address(), size_word(value)) if value else visible("{}" if isinstance(value, Mapping) else "[]")
    if value is None or isinstance(value, (bool, int, float)) or (is_storage_uri(value) and len(value) <= CELL):
        return scalar(value)
    text = value if isinstance(value, str) else plain_text(value)
    if len(text) <= CELL:
        return visible(text)
    return Markup("{}… {}").format(visible(text[:CELL]), linked(address(), plural(len(text), "character")))


# -- rows of a list


def is_table(value: Any) -> bool:
    """Whether a value is a list of maps, as far as it is looked at."""
    return is_list(value) and len(value) > 0 and all(isinstance(row, Mapping) for row in islice(value, LOOKED_AT))


def rows_of(value: Sequence[Any], links: Links) -> Rows:
    """A page of a list of maps."""
    first, order = links["from"] or 0, links["sort"] or ""
    columns = columns_of(list(islice(value, LOOKED_AT)))
    shown = columns[:COLUMNS]
    sortable = len(value) <= SORTED
    if order and sortable:
        value = in_order(value, order)
    page = value[first : first + ROWS]
    cells = [[_member(row, name) for name, _ in shown] for row in page]
    notes = () if sortable else ("too many rows to be sorted here",)
    return Rows(
        shown, cells, len(value) > first + ROWS, len(value), sortable, len(columns) - len(shown), notes
    )  # fmt: skip


def columns_of(rows: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    """The columns of some maps, in the order they first come, with the word for what stands in them."""
    kinds: dict[str, set[str]] = {}
    for row in rows:
        if isinstance(row, Mapping):
            for name, value in row.items():
                kinds.setdefault(str(name), set()).add(type_word(value))
    return tuple((name, _one_word(found)) for name, found in kinds.items())


def _one_word(kinds: set[str]) -> str:
    known = kinds - {"null"}
    if not known:
        return "null"
    if known <= NUMBERS:
        return "number" if len(known) > 1 else next(iter(known))
    return next(iter(known)) if len(known) == 1 else "mixed"


def in_order(rows: Sequence[Any], order: str) -> list[Any]:
    """Sorted by a column: numbers before texts, lists and maps by their size; null stands last in both directions."""
    name = order.removeprefix("-")
    there = [row for row in rows if _member(row, name) is not None]
    missing = [row for row in rows if _member(row, name) is None]
    return [*sorted(there, key=lambda row: _rank(_member(row, name)), reverse=order.startswith("-")), *missing]


def cell_of(rows: Sequence[Any], links: Links) -> tuple[int, str]:
    """Which cell is asked for: the number of its row in the list, as it is, and the name of its column."""
    row, order = links["row"] or 0, links["sort"] or ""
    if order and len(rows) <= SORTED and row < len(rows):
        wanted = in_order(rows, order)[row]
        row = next(number for number, each in enumerate(rows) if each is wanted)
    return row, links["column"]


def _member(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, Mapping) else None


def _rank(value: Any) -> tuple[int, Any]:
    if isinstance(value, (int, float)):  # NaN is neither above nor below
        return (0, float("inf")) if value != value else (0, value)
    if isinstance(value, Mapping) or is_list(value):
        return 2, len(value)
    return 1, value if isinstance(value, str) else plain_text(value)
