"""`outputs diff`: what came out of two executions, side by side."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from core.cli.command import Call, Command, json_option, positive, reach_options
from core.cli.exit_codes import OK
from core.cli.opening import reached
from core.cli.people import cell
from core.host.overviews import OutputComparison, OutputDifference, TableDifference, ValueDifference

PLACES = 10
"""Of one value; `--json` tells more of them."""
WIDTH = 40
_WHICH = "an execution's id, the beginning of one, or last"
Line = tuple[str, str, str, str, str, str]
"""Change, task, loop values, name, before, after."""


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("first", metavar="FIRST", help=_WHICH)
    parser.add_argument("second", metavar="SECOND", help=_WHICH)
    parser.add_argument("--limit", type=positive, default=1000, metavar="N", help="values at most (default: 1000)")
    json_option(parser)
    reach_options(parser)


def _execute(call: Call) -> int:
    args, out = call.args, call.out
    with reached(call) as app:
        found = app.outputs.compare(args.first, args.second, limit=args.limit)
    if args.json:
        out.data(_object(found))
        return OK
    lines = list(_lines(found))
    if lines:
        out.table(("CHANGE", "TASK", "VALUE", "NAME", "BEFORE", "AFTER"), lines)
    out.note(", ".join(f"{count} {change}" for change, count in found.counts.items()))
    if found.more:
        out.note(f"more than {args.limit} values: add --limit to see others")
    return OK


def _lines(found: OutputComparison) -> Iterator[Line]:
    """What differs; what is the same is only counted."""
    for name, parts in (("inputs", found.inputs), ("outputs", found.outputs)):
        yield from (_line(part, "", "", name) for part in parts)
    for one in found.differences:
        if one.change != "same":
            yield from _lines_of(one)


def _lines_of(one: OutputDifference) -> Iterator[Line]:
    value = "/".join(one.path)
    if one.large:
        yield (one.change, one.task_name, value, one.name, "", "too large to be compared inside")
        return
    tables = {table.path: table for table in one.tables}
    for path, table in tables.items():
        yield ("changed", one.task_name, value, _joined(one.name, path), f"{table.before} rows", _told(table))
    change: Any = one.change
    parts = one.parts or (ValueDifference("", change, one.before, one.after),)
    for part in parts[:PLACES]:
        yield _line(part, one.task_name, value, one.name)
    left = len(parts) - PLACES
    if left > 0 or one.more:
        yield ("", one.task_name, value, one.name, "", f"… {max(left, 1)}{'+' if one.more else ''} other places")


def _line(part: ValueDifference, task: str, value: str, name: str) -> Line:
    before, after = (cell(one, WIDTH) for one in (part.before, part.after))
    return part.change, task, value, _joined(name, part.path), before, after


def _told(table: TableDifference) -> str:
    """`4 rows: 1 added, 2 changed, matched by id, of the first 3`."""
    counts = (("added", table.added), ("removed", table.removed), ("changed", table.changed))
    facts = [f"{count} {name}" for name, count in counts if count]
    columns = [*(f"+{name}" for name in table.columns_added), *(f"-{name}" for name in table.columns_removed)]
    facts += [f"columns {' '.join(columns)}"] if columns else []
    facts += [f"matched by {table.key}"] if table.key else []
    facts += [f"of the first {table.first_rows}"] if table.first_rows else []
    return f"{table.after} rows" + (f": {', '.join(facts)}" if facts else "")


def _joined(name: str, path: str) -> str:
    """`rows` and `[2].price` as `rows[2].price`."""
    return name + path if path.startswith("[") or not name or not path else f"{name}.{path}"


def _object(found: OutputComparison) -> dict[str, Any]:
    """As the API gives it."""
    return {
        "first": found.first, "second": found.second, "counts": found.counts,
        "differences": [
            {**vars(one), "parts": [vars(part) for part in one.parts], "tables": [vars(table) for table in one.tables]}
            for one in found.differences
        ],
        "more": found.more, "inputs": [vars(part) for part in found.inputs],
        "outputs": [vars(part) for part in found.outputs],
    }  # fmt: skip


DIFF = Command("outputs diff", "Compare the outputs of two executions, changed ones first.", _configure, _execute)
