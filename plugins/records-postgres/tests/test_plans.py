"""What the server does for the questions of lists, as the role of engines: no table is read from end to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from core.host.views import ExecutionFilter, OutputFilter, SummaryCondition
from core.model.messages import TaskKey
from core.testing.record_story import ACME
from tailrace_records_postgres.loading import loading
from tailrace_records_postgres.marks import numbered
from tailrace_records_postgres.statements import translated
from tailrace_records_postgres.store import PostgresRecords, open_records

pytestmark = pytest.mark.postgres
ROWS = 60_000
LARGE = ("task_executions", "summary_values")

EXECUTIONS = """
INSERT INTO flow_executions (id, organization_id, namespace, flow_id, flow_revision, state, history_json, counters_json,
  inputs_json, created_at)
SELECT 'e' || n, CASE WHEN n % 2 = 0 THEN 'acme' ELSE 'other' END, 'a.n' || n % 5, 'f' || n % 20, 1, 'SUCCESS',
  '[["CREATED",1]]', '[0,0,"SUCCESS","over"]', '{}', n FROM generate_series(1, ROWS / 10) AS n
"""
TASKS = """
INSERT INTO task_executions (id, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name, type,
  path_json, turn, state, history_json, attempts_json, version, created_at, updated_at, ended_at, output_size)
SELECT 't' || n, e.organization_id, e.id, e.namespace, e.flow_id, 1, 'task' || n % 10, 'debug.Return', '[]', 0,
  CASE WHEN n % 1000 = 0 THEN 'FAILED' ELSE 'SUCCESS' END, '[["CREATED",1]]', '[]', 1, n, n, n, 1
FROM generate_series(1, ROWS) AS n JOIN flow_executions e ON e.id = 'e' || (n - 1) / 10 + 1 ORDER BY n
"""
SIDES = """
INSERT INTO tags SELECT organization_id, id, 'quality', 'q' || seq % 50, seq FROM task_executions WHERE seq % 3 = 0;
INSERT INTO summary_values SELECT organization_id, id, 'rows', NULL, seq % 700, seq FROM task_executions;
INSERT INTO labels SELECT organization_id, id, 'team', 't' || seq % 40, seq FROM flow_executions
"""
FILTERS: dict[str, OutputFilter] = {
    "none": OutputFilter(), "execution": OutputFilter(flow_execution_id=("e2",)), "task": OutputFilter(task_name=("task1",)),
    "flow": OutputFilter(flow_id=("f2",)), "namespace": OutputFilter(namespace=("a.n2",)),
    "below": OutputFilter(namespace=("a.*",)), "state": OutputFilter(state=("FAILED",)),
    "status": OutputFilter(status=("failed",)), "tag": OutputFilter(tag=("quality:q4",)),
    "summary": OutputFilter(summary=(SummaryCondition("rows", "=", "4"),)),
    "after": OutputFilter(created_after=ROWS - 100), "before": OutputFilter(created_before=3000),
    "modified": OutputFilter(modified_by=("somebody",)),
    "several": OutputFilter(task_name=("task1",), tag=("quality",), state=("SUCCESS",)),
}  # fmt: skip


@pytest.fixture
def large(apart: tuple[str, str]) -> tuple[str, str]:
    """The URLs of the owner and of engines of many rows."""
    with loading(apart[0]) as load:
        for script in (EXECUTIONS, TASKS):
            load.connection.execute(script.replace("ROWS", str(ROWS)).encode())
        load.connection.execute(SIDES.encode())
        load.span()
    return apart


def plans(store: PostgresRecords, url: str, ask: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plan of each query that a question leads to."""
    asked: list[tuple[str, tuple[Any, ...]]] = []
    original = store._db._ask

    def remember(sql: str, values: tuple[Any, ...], *, keep: bool) -> Any:
        asked.append((sql, values))
        return original(sql, values, keep=keep)

    with monkeypatch.context() as patch:
        patch.setattr(store._db, "_ask", remember)
        ask()
    assert asked
    found = []
    with psycopg.connect(url, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("SET search_path = tailrace")
        connection.execute("SET random_page_cost = 1.1")  # as the store's own
        connection.execute("SELECT set_config('tailrace.organization', $1, true)", (ACME,))
        for sql, values in asked:
            rows = connection.execute(f"EXPLAIN {numbered(sql)}".encode(), values).fetchall()
            found.append(sql + "\n" + "\n".join(row[0] for row in rows))
    return found


def test_no_question_reads_a_whole_table(large: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, url = large
    store = open_records(url, 1)
    questions: dict[str, Callable[[], Any]] = {
        **{name: (lambda which=which: store.outputs(ACME, which)) for name, which in FILTERS.items()},  # type: ignore[misc]
        "executions": lambda: store.executions(ACME, ExecutionFilter()),
        "labels": lambda: store.executions(ACME, ExecutionFilter(label=("team:t4",))),
        "middle": lambda: store.outputs(ACME, OutputFilter(starting_after="t31")),
        "one": lambda: store.task_execution(ACME, "t31"), "tasks": lambda: store.task_executions(ACME, "e2"),
        "prefix": lambda: store.find_task_executions(ACME, "t313"), "past": lambda: store.past("e2"),
        "value": lambda: store.outputs_of("e2", ["task1"]), "identity": lambda: store.identity("e4", TaskKey("task1")),
        "due": lambda: store.claimable("x", 5), "newest": lambda: store.newest_execution(ACME),
    }  # fmt: skip
    wrong = {
        name: plan
        for name, ask in questions.items()
        for plan in plans(store, url, ask, monkeypatch)
        if any(f"Seq Scan on {table}" in plan for table in LARGE)
    }  # fmt: skip
    assert wrong == {}
    store.close()


def test_the_pages_are_right(large: tuple[str, str]) -> None:
    """What was loaded is found like what was written row by row."""
    store = open_records(large[1], 1)
    newest = store.outputs(ACME, OutputFilter(limit=3))
    # Of each ten rows of an execution all are of one organization.
    assert [view.id for view in newest.data] == [f"t{number}" for number in (ROWS, ROWS - 1, ROWS - 2)]
    few = store.outputs(ACME, OutputFilter(created_after=1000, created_before=1040, limit=1000))
    assert [view.id for view in few.data] == [f"t{n}" for n in range(1039, 999, -1) if ((n - 1) // 10 + 1) % 2 == 0]
    assert store.product.count_outputs(ACME, OutputFilter(state=("FAILED",))) == ROWS // 1000
    assert translated("SELECT ?") == "SELECT $1"
    store.close()
