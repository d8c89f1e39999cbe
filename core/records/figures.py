"""What lists amount to: how many a day, how long tasks take, numbers of summaries over time, how flows went lately."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from math import ceil, isfinite
from typing import Any

from core.host.overviews import DayCount, OutputFigures, PastRun, SummaryPoint, TaskDurations
from core.host.views import OutputFilter
from core.model.codec import decode
from core.model.state import status_of
from core.records.database import Database
from core.records.listing import Listing, page_limit
from core.records.lists import output_listing
from core.records.queries import dates_of, numeric, output_conditions
from core.records.texts import first_running, marks

EXAMINED = 20_000
"""Rows that figures are made of: the newest ones."""
MAX_PATHS = 32
MAX_PAGES = 5
"""Of a list whose filter looks at very many rows, each of which takes a tenth of a second."""
FLOWS_AT_ONCE = 50
DAY = 24 * 60 * 60 * 1_000_000
_POINT = "id, task_name, created_at"
_FIRST_DAY = date(1970, 1, 1).toordinal()
_COLUMNS = "t.id, t.task_name, t.state, t.deleted_at, t.stale_since, t.created_at, t.ended_at, t.history_json, " \
    "CASE WHEN t.summary_json IS NULL THEN 0 ELSE 1 END"  # fmt: skip


def figures(database: Database, organization: str, which: OutputFilter) -> OutputFigures:
    rows, whole = output_listing(database, organization, which).newest(_COLUMNS, EXAMINED)
    with_summary = [row[0] for row in rows if row[8]]
    paths = _paths(database, with_summary) if with_summary else ()
    return OutputFigures(_per_day(rows), _durations(rows), paths, len(rows), whole)


def _per_day(rows: Sequence[tuple[Any, ...]]) -> tuple[DayCount, ...]:
    counts = Counter(
        (created // DAY, state, deleted is not None, stale is not None)
        for _, _, state, deleted, stale, created, *_ in rows
    )
    found: Counter[tuple[int, Any]] = Counter()
    for (day, state, deleted, stale), count in counts.items():
        found[day, status_of(state, deleted=deleted, stale=stale)] += count
    return tuple(
        DayCount(date.fromordinal(_FIRST_DAY + day).isoformat(), status, count)
        for (day, status), count in sorted(found.items())
    )


def _durations(rows: Sequence[tuple[Any, ...]]) -> tuple[TaskDurations, ...]:
    """Of tasks that have any; the one with the longest median first."""
    found: dict[str, list[float]] = defaultdict(list)
    for _, name, _, _, _, _, ended, history, _ in rows:
        began = first_running(history, restarted=True)
        if began is not None and ended is not None:
            found[name].append((ended - began) / 1_000_000)
    told = [_of_task(name, sorted(seconds)) for name, seconds in found.items()]
    return tuple(sorted(told, key=lambda one: (-one.median, one.task_name)))


def _of_task(name: str, seconds: Sequence[float]) -> TaskDurations:
    """seconds: sorted."""
    count = len(seconds)
    median = (seconds[(count - 1) // 2] + seconds[count // 2]) / 2
    return TaskDurations(name, count, median, seconds[ceil(0.95 * count) - 1], seconds[-1])


def _paths(database: Database, ids: Sequence[str]) -> tuple[str, ...]:
    """Where summaries have numbers; booleans lie beside them as 0 and 1, so one summary of each is looked at."""
    found = database.read("numeric_paths", (json.dumps(ids), 2 * MAX_PATHS))
    samples = tuple({one for _, _, one in found})
    if not samples:
        return ()
    sql = f"SELECT id, summary_json FROM task_executions WHERE id IN ({marks(samples)})"
    summaries = {one: decode(text) for one, text in database.select(sql, samples) if text is not None}
    numbers = (path for path, _, one in found if not isinstance(_at(summaries.get(one), path), bool))
    return tuple(numbers)[:MAX_PATHS]


def _at(summary: Any, path: str) -> Any:
    """What stands at a path; a name in it may have a dot of its own."""
    if not path or not isinstance(summary, Mapping):
        return None if path else summary
    if path in summary:
        return summary[path]
    for name, value in summary.items():
        if path.startswith(f"{name}."):
            return _at(value, path.removeprefix(f"{name}."))
    return None


def summary_over_time(
    database: Database, organization: str, which: OutputFilter, path: str, limit: int
) -> tuple[SummaryPoint, ...]:
    page_limit(limit)
    conditions = [*output_conditions(database, organization, which), numeric(path)]
    listing = Listing(database, "task_executions", organization, conditions, dates_of(which), _POINT)
    rows: list[dict[str, Any]] = []
    following: str | None = None
    for _ in range(MAX_PAGES):
        found = listing.page(limit - len(rows), following)
        rows += found.rows
        following = found.next
        if following is None or len(rows) >= limit:
            break
    ids = json.dumps([row["id"] for row in rows])
    numbers: dict[str, float] = dict(database.read("numbers_at", (ids, path))) if rows else {}
    return tuple(
        SummaryPoint(row["id"], row["task_name"], row["created_at"], numbers[row["id"]])
        for row in reversed(rows) if isfinite(numbers.get(row["id"], float("nan")))
    )  # fmt: skip


def past_runs(
    database: Database, organization: str, flows: Sequence[tuple[str, str]], limit: int
) -> Mapping[tuple[str, str], tuple[PastRun, ...]]:
    """Of each flow that is asked for, without any too."""
    page_limit(limit)
    places = list(dict.fromkeys(flows))
    found: dict[tuple[str, str], tuple[PastRun, ...]] = {}
    for start in range(0, len(places), FLOWS_AT_ONCE):
        some = places[start : start + FLOWS_AT_ONCE]
        rows: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for number, *row in database.select(*_newest_of(organization, some, limit)):
            rows[number].append(tuple(row))
        for number, place in enumerate(some):
            found[place] = tuple(_run(row) for row in sorted(rows[number]))
    return found


def _newest_of(organization: str, places: Sequence[tuple[str, str]], limit: int) -> tuple[str, tuple[Any, ...]]:
    columns = "seq, id, state, created_at, started_at, ended_at"
    where = "organization_id = ? AND namespace = ? AND flow_id = ? AND deleted_at IS NULL"
    newest = f"FROM flow_executions WHERE {where} ORDER BY seq DESC LIMIT ?"
    parts = (
        f"SELECT * FROM (SELECT {number} AS place, {columns} {newest}) AS f{number}" for number in range(len(places))
    )
    values = (value for place in places for value in (organization, *place, limit))
    return " UNION ALL ".join(parts), tuple(values)


def _run(row: tuple[Any, ...]) -> PastRun:
    _, identifier, state, created, started, ended = row
    seconds = None if started is None or ended is None else (ended - started) / 1_000_000
    return PastRun(identifier, state, created, seconds)
