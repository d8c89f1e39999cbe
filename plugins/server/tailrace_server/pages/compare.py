"""`/compare`: what came out of two executions, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, get_args

from attrs import frozen
from litestar import Request
from markupsafe import Markup

from core.host.overviews import OutputComparison, OutputDifference, TableDifference, ValueDifference
from core.host.services import Services
from core.host.views import ExecutionFilter, ExecutionView
from tailrace_server.asked import Asked, Parameter
from tailrace_server.doing import WHAT
from tailrace_server.ids import known_id
from tailrace_server.pages.differences import Difference, difference
from tailrace_server.pages.lists import address, pairs_of
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import plural
from tailrace_server.schemas.comparisons import Change
from tailrace_server.showing.tables import cell
from tailrace_server.showing.values import value_page

ROWS = 100
"""Values of a page."""
PLACES = 12
"""Of one value; all of it is a click away."""
LONG, LONGEST, LINES, TEXTS = 120, 20_000, 40, 20
"""Characters of a text that is compared line by line, from and to; how many lines of that are shown, and of how many
texts of a page."""
OTHERS = 50
CHANGES: tuple[str, ...] = get_args(get_args(Change)[0])
ASKS = (
    Parameter("first", "The id of an execution."),
    Parameter("second", "The id of the one that is compared with it."),
    Parameter("change", "Only values of this change; all but those that are the same unless given.", choices=CHANGES),
    Parameter("find", "Part of the name of a task or a value, in any case of letters."),
    Parameter("from", "How many values lie before the page.", "whole", default=0),
)


@frozen
class Place:
    """One place where two values differ. lines: of texts that are compared line by line."""

    path: str
    change: str
    before: Markup
    after: Markup
    lines: Difference | None = None


@frozen
class Compared:
    """One value of two task outputs. words: how its tables differ. first, second: addresses of both, "" of none."""

    one: OutputDifference
    words: tuple[str, ...]
    places: tuple[Place, ...]
    more: bool
    first: str
    second: str

    @property
    def alone(self) -> bool:
        """Whether all there is to tell fits into one row."""
        return len(self.places) == 1 and not (self.places[0].path or self.places[0].lines or self.words)


@page("/compare", asks=ASKS, slow=True)
def compare(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Shown:
    """Two executions; or those of its flow that one may be compared with."""
    if not asked["first"]:
        return Shown("compare_choice.html", {"first": None, "others": ()})
    first = services.executions.get(known_id(asked["first"], WHAT))
    if not asked["second"]:
        return Shown("compare_choice.html", {"first": first, "others": _others(services, first)})
    second = services.executions.get(known_id(asked["second"], WHAT))
    found = services.outputs.compare(first.id, second.id)
    fitting = [one for one in found.differences if _fits(one, asked["change"], (asked["find"] or "").lower())]
    begin = min(asked["from"], len(fitting))
    kept = [pair for pair in pairs_of(request) if pair[0] != "from"]
    return Shown("compare.html", {
        "first": first, "second": second, "found": found, "change": asked["change"], "find": asked["find"] or "",
        "changes": CHANGES, "rows": _rows(fitting[begin : begin + ROWS]),
        "executions": _executions(found), "count": len(fitting), "begin": begin,
        "newer": address(request, [*kept, ("from", str(max(0, begin - ROWS)))]) if begin else None,
        "older": address(request, [*kept, ("from", str(begin + ROWS))]) if begin + ROWS < len(fitting) else None,
    })  # fmt: skip


def _others(services: Services, first: ExecutionView) -> list[ExecutionView]:
    """The newest executions of its flow."""
    which = ExecutionFilter(flow_id=(first.flow_id,), namespace=(first.namespace,), limit=OTHERS + 1)
    return [view for view in services.executions.list(which).data if view.id != first.id][:OTHERS]


def _fits(one: OutputDifference, change: str | None, find: str) -> bool:
    if change != one.change if change else one.change == "same":
        return False
    return not find or any(find in text.lower() for text in (one.task_name, one.name, *one.path))


def _executions(found: OutputComparison) -> list[tuple[str, list[Place]]]:
    """What differs of the executions themselves."""
    texts = iter(range(TEXTS))
    told = (("Inputs", found.inputs), ("Outputs of the flow", found.outputs))
    return [(name, [_place(part, "", "", texts) for part in parts]) for name, parts in told if parts]


def _rows(differences: Sequence[OutputDifference]) -> list[Compared]:
    texts = iter(range(TEXTS))
    return [_compared(one, texts) for one in differences]


def _compared(one: OutputDifference, texts: Iterator[int]) -> Compared:
    first, second = (value_page(output, one.name) if output else "" for output in (one.first, one.second))
    parts = one.parts
    if not parts and not one.large and one.change != "same":
        change: Any = one.change
        parts = (ValueDifference("", change, one.before, one.after),)
    words = tuple(", ".join(_facts(table)) for table in one.tables)
    places = tuple(_place(part, first, second, texts) for part in parts[:PLACES])
    return Compared(one, words, places, one.more or len(parts) > PLACES, first, second)


def _place(part: ValueDifference, first: str, second: str, texts: Iterator[int]) -> Place:
    """Both sides as cells. first, second: where all of them is. texts: gives something for each that may be compared
    line by line."""
    present = part.change in ("changed", "removed"), part.change in ("changed", "added")
    before, after = (
        cell(value, partial(str, link)) if there else Markup("")
        for value, link, there in zip((part.before, part.after), (first, second), present, strict=True)
    )
    return Place(part.path, part.change, before, after, _lines(part.before, part.after, texts))


def _lines(before: Any, after: Any, texts: Iterator[int]) -> Difference | None:
    """Of two texts that are better compared line by line."""
    if not (isinstance(before, str) and isinstance(after, str)):
        return None
    lengths = len(before), len(after)
    short = max(lengths) <= LONG and "\n" not in (before + after).strip("\n")
    if short or max(lengths) > LONGEST or next(texts, None) is None:
        return None
    return difference(before, after, shown=LINES)


def _facts(table: TableDifference) -> Iterator[str]:
    """`rows: 3 → 4 rows`, `1 added`, `2 changed`, `matched by id`, `only the first 2 rows of each were looked at`."""
    name = f"{table.path}: " if table.path else ""
    became = f"{table.before} → " if table.before != table.after else ""
    yield f"{name}{became}{plural(table.after, 'row')}"
    counts = (("added", table.added), ("removed", table.removed), ("changed", table.changed))
    yield from (f"{count} {word}" for word, count in counts if count)
    if not table.first_rows and not any(count for _, count in counts):
        yield "in another order"
    for word, names in (("with", table.columns_added), ("without", table.columns_removed)):
        if names:
            yield f"{word} {plural(len(names), 'column')} {', '.join(names[:5])}"
    if table.key:
        yield f"matched by {table.key}"
    if table.first_rows:
        yield f"only the first {plural(table.first_rows, 'row')} of each were looked at"


PAGES = (compare,)
