"""What particular rows look like in SQLite, and what their writing costs."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from core.host.records import NewExecution, ParentLink
from core.host.seam import Read
from core.model.decisions import Counters, EndTask, FreeSlot, MoveExecution, OpenTask, Remember
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.records import SqliteRecords
from core.records.statements import statements
from core.testing.record_story import ACME, TEAM, Story

MANY = 20_000
COPIES = f"""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
INSERT INTO task_executions (id, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name, type,
  path_json, turn, state, history_json, attempts_json, output_size, version, created_at, updated_at, ended_at)
SELECT id || '-' || i, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name, type,
  json_array('v' || i), turn, state, history_json, attempts_json, 1, 1, created_at, updated_at, 1
FROM task_executions, n WHERE id = 'e1-a'
"""


def rows(home: Path, sql: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(home / "records.db")
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("counters", "text"),
    [
        (Counters(), '[0,0,"SUCCESS","tasks"]'),
        (Counters(2, 1, "FAILED", "errors"), '[2,1,"FAILED","errors"]'),
        (Counters(turn=3), '[0,0,"SUCCESS","tasks",3]'),
        (Counters(done=5), '[0,0,"SUCCESS","tasks",0,0,5]'),
        (Counters(done=2**60, turns=1), '[0,0,"SUCCESS","tasks",0,0,"0x1000000000000000","",1]'),
    ],
)
def test_counters_leave_out_what_is_as_always(
    store: SqliteRecords, tmp_path: Path, counters: Counters, text: str
) -> None:
    Story(store).commit(MoveExecution("RUNNING", counters))
    assert rows(tmp_path, "SELECT counters_json FROM flow_executions") == [(text,)]


def test_a_link_to_a_parent_has_columns_of_its_own(store: SqliteRecords, tmp_path: Path) -> None:
    Story(store, parent=ParentLink("p", "p-call", TaskKey("call", ("ü", '"'), 2), 3, wait=False, attempt=4))
    columns = "parent_execution_id, parent_task_execution_id, parent_task, child_index, parent_waits, parent_attempt"
    assert rows(tmp_path, f"SELECT {columns} FROM flow_executions") == [
        ("p", "p-call", '["call", ["\\u00fc", "\\""], 2]', 3, 0, 4)
    ]


def test_an_inbox_takes_known_messages_only(store: SqliteRecords) -> None:
    Story(store)
    for kind in ("start", "kill", "pause", "resume", "restart", "force_run", "end", "change_state", "child_ended",
                 "slot_free", "output_corrected", "due"):  # fmt: skip
        store.send("e1", kind, "{}", 5)
    with pytest.raises(sqlite3.IntegrityError):
        store.send("e1", "other", "{}", 5)


def test_a_copy_reads_copies_where_they_were_kept(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    story.run("a", 1)
    story.run("b", 2)
    story.run("c", 3, reads=(Read("outputs.a.value", "a"), Read("outputs.b.value", "b"), Read("inputs.x")))
    key = EvaluationKey(TaskKey("c"), "run_if")
    story.commit(Remember(key, "true"), evaluated={key: (Read("outputs.a.value", "a"),)})
    story.commit(Remember(EvaluationKey(ROOT, "outputs"), {}), evaluated={})
    new = NewExecution("e2", ACME, TEAM, "flow", 1, "{}", {}, (), 5000)
    store.derive(new, "e1", (TaskKey("a"), TaskKey("c")))
    copies = dict(rows(tmp_path, "SELECT copied_from, id FROM task_executions WHERE flow_execution_id = 'e2'"))
    a, c = copies["e1-a"], copies["e1-c"]
    assert set(rows(tmp_path, "SELECT reader, what, of_task_execution FROM reads WHERE flow_execution_id = 'e2'")) == {
        (c, "outputs.a.value", a), (c, "outputs.b.value", "e1-b"), (c, "inputs.x", None),
        ("e2/c/run_if/0", "outputs.a.value", a),
    }  # fmt: skip


def test_what_is_read_across_a_loop_is_an_edge_to_any(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    story.run("a", 1, path=("x",))
    story.run("b", 1, path=("x",), reads=(Read("outputs.a.x.value", "a"), Read("outputs.a.y.value", "a")))
    story.run("c", 1, reads=(Read("outputs.a", "a"),))
    found = rows(tmp_path, "SELECT reader, what, of_task_execution, version FROM reads ORDER BY reader, what")
    assert found == [
        ("e1-b-x", "outputs.a.x.value", "e1-a-x", 1), ("e1-b-x", "outputs.a.y.value", "*a", None),
        ("e1-c", "outputs.a", "*a", None),
    ]  # fmt: skip


# -- what it costs


def test_a_step_of_a_sequence_is_five_statements(store: SqliteRecords) -> None:
    """And its commit: one tree less is a tenth of the time of a chain of small tasks."""
    story = Story(store)
    story.open("a")
    after = TaskKey("b")
    unit = story.unit(
        EndTask(TaskKey("a"), "SUCCESS"), OpenTask(after, ROOT, "RUNNING", attempt=True),
        MoveExecution("RUNNING", Counters(2, 1)), results={TaskKey("a"): story.result(TaskKey("a"), 1)},
    )  # fmt: skip
    seen: list[str] = []
    store._db._writer.set_trace_callback(seen.append)  # the only way to know what SQLite was asked
    store.commit([unit])
    once = [sql for sql, before in zip(seen, ["", *seen], strict=False) if sql != before]  # a trigger shows its cause
    assert [sql.split()[0:3] for sql in once] == [
        ["BEGIN", "IMMEDIATE"], ["UPDATE", "flow_executions", "SET"], ["UPDATE", "task_executions", "SET"],
        ["INSERT", "OR", "REPLACE"], ["INSERT", "INTO", "task_executions"], ["COMMIT"],
    ]  # fmt: skip


class _Steps:
    """Counts SQLite's own steps."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.count = 0
        connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.count += 1
        return 0


def _loop_step(story: Story, number: int) -> None:
    around, key = (f"w{number}",), TaskKey("a", (f"w{number}",))
    story.commit(OpenTask(key, ROOT, "RUNNING", attempt=True, iteration=number))
    reads = (Read("outputs.a", "a"), Read(f"outputs.b.{around[0]}.x", "b"), Read("outputs.c.value", "c"))
    story.end(key, number, reads=reads)
    story.commit(Remember(EvaluationKey(key, "run_if"), "true"), MoveExecution("RUNNING", Counters(number, 1)))


def test_a_commit_costs_the_same_however_much_has_run(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    story.run("a", 1)
    steps = _Steps(store._db._writer)
    _loop_step(story, 1)
    first, steps.count = steps.count, 0
    rows(tmp_path, COPIES)
    _loop_step(story, 2)
    assert steps.count <= first + 20
    assert len(store.states_of("e1")) == MANY + 3


def test_what_is_read_of_one_task_costs_the_same_however_many_others_ran(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    story.run("b", 1)
    story.run("a", 1)
    steps = _Steps(store._db._reader)
    found = [store.outputs_of("e1", ["b"]), store.states_of("e1", ["b"])]
    first, steps.count = steps.count, 0
    rows(tmp_path, COPIES)
    assert [store.outputs_of("e1", ["b"]), store.states_of("e1", ["b"])] == found
    assert steps.count <= first + 20


def test_the_tags_of_all_tasks_are_one_question(
    store: SqliteRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Story(store).run("a", 1)
    rows(tmp_path, COPIES)
    rows(tmp_path, "INSERT INTO tags SELECT organization_id, id, 'team', 'x', seq FROM task_executions WHERE id LIKE '%-7'")
    asked: list[str] = []
    select = store._db.select

    def counted(sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return select(sql, values)

    monkeypatch.setattr(store._db, "select", counted)
    found = store.task_executions(ACME, "e1")
    assert (len(found), [one.tags for one in found if one.tags], len(asked)) == (MANY + 1, [{"team": "x"}], 1)


def test_a_slot_is_counted_among_what_has_not_ended(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    steps = _Steps(store._db._writer)
    guards = (FreeSlot(TEAM, "flow", 1),)
    story.commit(MoveExecution("RUNNING", Counters(), "", True), guards=guards)
    first, steps.count = steps.count, 0
    rows(tmp_path, f"""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
        INSERT INTO flow_executions (id, organization_id, namespace, flow_id, flow_revision, state, history_json,
          counters_json, inputs_json, created_at, ended_at)
        SELECT id || i, organization_id, namespace, flow_id, 1, 'SUCCESS', '[]', '[]', '{{}}', 1, 1
        FROM flow_executions, n""")  # fmt: skip
    story.commit(MoveExecution("PAUSED", Counters(), "", True), guards=guards)
    assert steps.count <= first + 20


_OF_FEW_ROWS = ("has_api_keys", "organizations")
_WHOLE_ORGANIZATION = r"SEARCH (task_executions|flow_executions|file_uses|reads|tags|events)\b.*\(organization_id=\?\)$"
_NEWEST = ("newest_execution", "last_event")
"""These take the first row of an index and are done."""


@pytest.mark.parametrize("name", sorted(set(statements()) - {"count_logs", "delete_logs", *_OF_FEW_ROWS}))
@pytest.mark.usefixtures("store")
def test_no_statement_looks_through_a_whole_table(tmp_path: Path, name: str) -> None:
    connection = sqlite3.connect(tmp_path / "records.db")
    connection.execute("PRAGMA automatic_index = OFF")
    sql, plan = statements()[name], None
    for parameters in range(30):
        try:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * parameters).fetchall()
            break
        except sqlite3.ProgrammingError:  # another number of parameters
            pass
    connection.close()
    assert plan is not None
    scanned = [detail for *_, detail in plan if "SCAN" in detail]
    allowed = ("SCAN CONSTANT ROW", "SCAN (subquery", "SCAN json_each")
    assert [detail for detail in scanned if not detail.startswith(allowed)] == []
    whole = [detail for *_, detail in plan if re.match(_WHOLE_ORGANIZATION, detail)]
    assert name in _NEWEST or whole == []
