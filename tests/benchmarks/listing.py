"""Milliseconds of a page of task outputs: the first one, one in the middle, and the first one of each indexed filter.

Usage: python tests/benchmarks/listing.py [--cpu] HOME|URL… ; as `rows.py` fills them, URL that of engines. `--cpu`
counts the time that was computed, here and in a PostgreSQL on this machine, for one that does other things too. `--plans URL` writes the query
plans of every filter to docs/explanation/listing.md instead: in a small home, and in the records at the URL.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import takewhile
from pathlib import Path
from typing import Any

from core.host.views import OutputFilter, SummaryCondition
from core.records import SqliteRecords, SqlRecords
from core.records.database import Database
from core.records.lists import output_listing

PAGES = 100
ORGANIZATION = "default"
NOISE = re.compile(r" *(InitPlan|->  Result |Index Searches|Heap Fetches: 0|Batches|Group Key|Sort Method)")
"""Lines of plans that say nothing here: the setting is read once for each use of a table."""
MAX_LINES = 30
"""Of a plan that is shown: there are questions with a branch for each of many flows."""
COUNTED = {"count of all": OutputFilter(), "count of a task": OutputFilter(task_name=("task_1_11",))}
DOCS = Path(__file__).parents[2] / "docs" / "explanation" / "listing.md"


def opened(place: str) -> SqlRecords:
    """The store in a home or at a URL."""
    if "://" not in place:
        return SqliteRecords(Path(place), durable=False, now=1)
    from tailrace_records_postgres.store import open_records

    return open_records(place, 1)


def about(records: SqlRecords) -> AbstractContextManager[None]:
    """In PostgreSQL a question says whose rows it asks for."""
    if isinstance(records, SqliteRecords):
        return nullcontext()
    scope: AbstractContextManager[None] = records._db.about(ORGANIZATION)  # type: ignore[attr-defined]
    return scope


def filters(records: SqlRecords) -> dict[str, tuple[dict[str, Any], ...]]:
    """Each filter with some values, of which each page asks for the next one."""
    ((rows, first, last),) = records._db.select("SELECT max(seq), min(created_at), max(created_at) FROM task_executions")
    middle = _row(records, rows // 2)
    executions = [_row(records, 1 + rows * number // 17)["flow_execution_id"] for number in range(2, 16)]
    dates = [first + (last - first) * number // 17 for number in range(1, 17)]
    return {
        "first page": ({},),
        "middle page": tuple({"starting_after": _row(records, rows // 2 + number)["id"]} for number in range(20)),
        "page before another": ({"ending_before": middle["id"]},),
        "flow_execution_id": tuple({"flow_execution_id": (one,)} for one in executions),
        "flow_execution_id, twelve": ({"flow_execution_id": tuple(executions[:12])},),
        "flow_execution_id, 20 000 rows": ({"flow_execution_id": (_row(records, 1)["flow_execution_id"],)},),
        "flow_id": tuple({"flow_id": (f"flow_{number}",)} for number in (0, 5, 10, 50, 199)),
        "namespace": tuple({"namespace": (f"company.team{number}",)} for number in range(12)),
        "namespace and below": tuple({"namespace": (name,)} for name in ("company.*", "company.team0.*", "nope.*")),
        "task_name": tuple({"task_name": (f"task_{number % 5}_{number}",)} for number in range(20)),
        "state, rare": tuple({"state": (state,)} for state in ("FAILED", "KILLED", "RUNNING", "WARNING")),
        "state, common": ({"state": ("SUCCESS",)},),
        "status": tuple({"status": (status,)} for status in ("failed", "running", "queued", "completed", "stale", "deleted")),
        "created_after": tuple({"created_after": at} for at in dates),
        "created_before": tuple({"created_before": at} for at in dates),
        "created within a minute": tuple({"created_after": at, "created_before": at + 60_000_000} for at in dates),
        "updated_before": tuple({"updated_before": at} for at in dates),
        "tag": ({"tag": ("team",)}, {"tag": ("team:team_7",)}, {"tag": ("reviewed",)}, {"tag": ("nope",)}),
        "modified_by": tuple({"modified_by": (f"key-{number}",)} for number in range(9)),
        "summary, text": tuple({"summary": (SummaryCondition("kind", "=", f"kind_{number}"),)} for number in range(20)),
        "summary, number": tuple({"summary": (SummaryCondition("rows", "=", str(number)),)} for number in range(20)),
        "summary, range": ({"summary": (SummaryCondition("rows", ">", "90000"),)}, {"summary": (SummaryCondition("rows", ">", "99990"),)}),
        "combined, both rare": ({"state": ("KILLED",), "tag": ("team:team_7",)}, {"modified_by": ("key-1",), "task_name": ("task_1_11",)}),
        "combined, nothing fits": ({"task_name": ("each",), "flow_id": ("flow_199",)}, {"state": ("SUCCESS",), "modified_by": ("system",), "summary": (SummaryCondition("rows", "<", "-1"),)}),
        "combined, at the bound": ({"summary": (SummaryCondition("code", "!=", "200"), SummaryCondition("code", "!=", "404"))},),
    }  # fmt: skip


def _row(records: SqlRecords, seq: int) -> dict[str, Any]:
    return records._db.select_maps("SELECT id, flow_execution_id FROM task_executions WHERE seq = ?", (seq,))[0]


def computed(records: SqlRecords) -> Callable[[], float]:
    """A clock of what this process computed, and those that the database has for its connections, in seconds."""
    if isinstance(records, SqliteRecords):
        return time.process_time
    pids = records._db.select("SELECT pid FROM pg_stat_activity WHERE usename = current_user")
    files = [Path(f"/proc/{pid}/schedstat") for (pid,) in pids]

    def clock() -> float:
        return time.process_time() + sum(int(file.read_text().split()[0]) for file in files) / 1e9

    return clock


def measure(place: str, *, cpu: bool) -> dict[str, tuple[float, float, int]]:
    """p50 and p99 in milliseconds, and the rows of the last page."""
    records = opened(place)
    with about(records):
        asked = filters(records)
    clock = computed(records) if cpu else time.perf_counter
    found = {}
    for name, given in asked.items():
        times, rows = [], 0
        for number in range(PAGES):
            which = OutputFilter(**given[number % len(given)])
            began = clock()
            rows = len(records.outputs(ORGANIZATION, which).data)
            times.append((clock() - began) * 1000)
        times.sort()
        found[name] = statistics.median(times), times[-1 - PAGES // 100], rows
    for name, which in COUNTED.items():
        began = clock()
        number = records.product.count_outputs(ORGANIZATION, which)
        found[name] = (clock() - began) * 1000, 0.0, number
    records.close()
    return found


def main(places: list[str], *, cpu: bool) -> None:
    results = [measure(place, cpu=cpu) for place in places]
    names = [re.sub(r"[?].*", "", place).rpartition("/")[2] for place in places]
    print(f"{'p50 / p99 in ms':34}" + "".join(f"{name:>26}" for name in names))
    for name in results[0]:
        numbers = (f"{p50:12.2f} /{p99:7.2f}{rows:6}" for p50, p99, rows in (result[name] for result in results))
        print(f"{name:34}" + "".join(numbers))


class _Asked:
    """A database that remembers the plans of what it is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_postgres = hasattr(database, "about")
        self.plans: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def select(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        self._explain(sql, values)
        return self._database.select(sql, values)

    def select_maps(self, sql: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        self._explain(sql, values)
        return self._database.select_maps(sql, values)

    def _explain(self, sql: str, values: tuple[Any, ...]) -> None:
        word = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF)" if self._in_postgres else "EXPLAIN QUERY PLAN"
        lines = [str(row[-1]) for row in self._database.select(f"{word} {sql}", values)]
        if self._in_postgres:
            plan = [line for line in takewhile(lambda line: not line.startswith("Planning"), lines) if not NOISE.match(line)]
            more = [f"… {len(plan) - MAX_LINES} lines more"] if len(plan) > MAX_LINES else []
            lines = [*plan[:MAX_LINES], *more, lines[-1]]
        self.plans.setdefault(sql, "\n".join(lines if self._in_postgres else dict.fromkeys(lines)))


def asked_by(records: SqlRecords) -> dict[str, dict[str, str]]:
    """By filter the queries of a page, with the plan of each."""
    found = {}
    with about(records):
        for title, given in filters(records).items():
            asked = _Asked(records._db)
            which = OutputFilter(**given[0])
            output_listing(asked, ORGANIZATION, which).page(which.limit, which.starting_after, which.ending_before)
            found[title] = asked.plans
    return found


def plans(url: str) -> str:
    """The page of the documentation with the plan of each query."""
    from rows import fill  # beside this script

    with tempfile.TemporaryDirectory() as name:
        fill(Path(name), 30_000)
        both = []
        for place in (name, url):
            records = opened(place)
            both.append(asked_by(records))
            records.close()
    parts = [HEAD]
    for title in both[0]:
        parts.append(f"## {title}")
        for sql in dict.fromkeys([*both[0][title], *both[1][title]]):
            shown = [one[title][sql] for one in both if sql in one[title]]
            parts += [f"```sql\n{_wrapped(sql)}\n```", *(f"```text\n{plan}\n```" for plan in shown)]
    return "\n\n".join(parts) + "\n"


def _wrapped(sql: str) -> str:
    sql = re.sub(r"( UNION ALL SELECT [^()]*?WHERE [^()]*? (?=UNION))\1+", r"\1UNION ALL … ", sql)
    sql = re.sub(r"(?:\?, ){9,}\?", "?, …, ?", sql)
    for word in (" FROM (", " CROSS JOIN ", " UNION ", " WHERE seq IN (", " ORDER BY seq", " LIMIT ? ORDER"):
        sql = sql.replace(word, f"\n {word}")
    return sql


HEAD = """# Lists of millions of rows

A page of task outputs costs the same with two hundred thousand rows and with five million. Every list is newest first
by `seq`, which the store gives under its write lock, and goes on from the `seq` of the last row (no offset).

- **One condition drives.** Of the conditions that an index serves, the one with fewer rows is taken: each is counted,
  up to 2 000 rows, by one query. The index has its rows by `seq`; the values of one condition are merged.
- **The others are looked at row by row**, in chunks of what drives: as many as the page has, then four times as many.
- **The bound.** A page that has examined 50 000 rows, or taken 100 ms, is returned as it is, short or even empty, with
  `next`: the id of the last row examined. So a question that no index serves never holds up the database.
- **Dates say nothing about the order of rows**, since clocks are not trusted. What is known is from when to when the
  rows of each block of 1 024 `seq` are (`time_spans`); blocks that can't have rows of the dates are passed over. A
  trigger writes a block's row when the next block begins, and keeps its last update up to date.
- **What an index costs.** Each tree that a task is written into adds some microseconds to its commit. The index by
  state leaves out `SUCCESS`, that by user `system`. The rows of a namespace, and of all below one, are merged of the
  flows that are in it (`flow_places`): of more than 16 flows the newest 500 rows are looked at first, since most are
  likely to fit, and with more than 128 all are looked at row by row.
- **Tags and labels** of a page are one query more.

What follows are the queries of each filter alone with their plans, written by
`python tests/benchmarks/listing.py --plans URL`: first the one in SQLite, then that of PostgreSQL, of the role of
engines under forced row-level security, with what it did among five million rows. (`NOT textne` is the policy; lines
about how it reads its setting are left out.)

## In PostgreSQL, measured

Milliseconds computed for a page of 100 rows, by client and server together (p50 / p99 of 100 pages), as the role of
engines under forced row-level security, by `python tests/benchmarks/listing.py --cpu URL…`: PostgreSQL 18 with 1 GB of
shared buffers, on a machine with two processors and a load of five, where a page took one to two times as long by the
clock. Two thirds of it are the making of 100 records in Python.

| | 200 000 | 1 000 000 | 5 000 000 |
| --- | --- | --- | --- |
| first page | 7.4 / 10.5 | 6.5 / 7.0 | 6.7 / 10.0 |
| middle page | 7.8 / 8.8 | 6.9 / 9.6 | 7.2 / 8.2 |
| page before another | 7.8 / 8.5 | 6.9 / 8.2 | 7.0 / 9.5 |
| flow_execution_id | 3.6 / 5.1 | 3.6 / 4.8 | 3.3 / 4.3 |
| flow_execution_id, twelve | 9.8 / 11.9 | 8.0 / 10.0 | 9.6 / 11.8 |
| flow_execution_id, 20 000 rows | 8.0 / 9.1 | 5.9 / 9.8 | 7.6 / 9.4 |
| flow_id | 7.4 / 9.2 | 7.2 / 7.7 | 5.9 / 12.1 |
| namespace | 8.0 / 11.5 | 7.6 / 10.8 | 9.4 / 12.2 |
| namespace and below | 7.9 / 10.6 | 6.9 / 8.7 | 8.1 / 10.8 |
| task_name | 6.2 / 8.7 | 5.9 / 8.2 | 6.3 / 9.0 |
| state, rare | 5.5 / 12.1 | 6.6 / 7.9 | 6.1 / 8.1 |
| state, common | 6.7 / 8.8 | 5.5 / 8.4 | 7.0 / 8.6 |
| status | 6.2 / 8.6 | 6.8 / 10.4 | 7.7 / 10.2 |
| created_after | 7.1 / 9.1 | 8.5 / 10.0 | 7.7 / 10.5 |
| created_before | 12.9 / 18.1 | 17.2 / 22.9 | 18.8 / 23.3 |
| created within a minute | 17.4 / 24.2 | 17.3 / 22.6 | 16.7 / 21.4 |
| updated_before | 15.7 / 20.8 | 16.8 / 20.9 | 21.2 / 24.7 |
| tag | 7.4 / 10.8 | 7.0 / 8.5 | 7.5 / 9.2 |
| modified_by | 6.1 / 8.1 | 7.1 / 11.4 | 8.2 / 13.0 |
| summary, text | 10.0 / 14.3 | 8.1 / 12.0 | 10.0 / 18.5 |
| summary, number | 3.0 / 4.4 | 2.8 / 3.3 | 5.9 / 10.3 |
| summary, range | 10.2 / 20.8 | 11.5 / 23.2 | 12.5 / 23.2 |
| combined, both rare | 4.1 / 6.1 | 8.5 / 13.1 | 27.7 / 61.2 |
| combined, nothing fits | 2.6 / 3.8 | 2.6 / 3.9 | 2.9 / 5.2 |
| count of all | 47 | 216 | 1220 |
| count of a task | 6 | 47 | 188 |

A count is made in several queries, each of at most 200 000 rows in an index.
A question that no row answers and no index serves is given up at the bound: 125 ms by the clock, at each size.
By the clock the first page took 7.3, 7.1 and 8.8 ms."""


if __name__ == "__main__":
    if sys.argv[1] == "--plans":
        DOCS.write_text(plans(sys.argv[2]), "utf-8")
    else:
        given = [name for name in sys.argv[1:] if name != "--cpu"]
        main(given, cpu="--cpu" in sys.argv)
