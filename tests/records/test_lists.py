"""Lists under their bound, what drives them, and the parts of a table that dates leave."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.host.views import ExecutionFilter, OutputFilter, SummaryCondition
from core.model.data import evolve
from core.records import SqliteRecords, listing, queries
from core.records.lists import output_listing
from core.records.queries import Dates
from core.records.spans import BLOCK, END, segments
from core.testing.record_product_lists import drawn_filter, fill, fits, walk
from core.testing.record_story import ACME, Story
from tests.records.test_rows import rows

KEPT = ("queued", "running", "completed", "failed", "deleted", "stale")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds so narrow that a few rows meet all of them."""
    for name, value in (("MAX_EXAMINED", 7), ("CHUNK", 3), ("PROBE", 4), ("MANY_BRANCHES", 1), ("FIRST_CHUNK", 4),
                        ("COUNT_CHUNK", 3), ("COVERED_CHUNK", 5)):  # fmt: skip
        monkeypatch.setattr(listing, name, value)
    monkeypatch.setattr(queries, "MAX_BRANCHES", 2)


# -- the bound


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("seed", range(6))
def test_short_pages_lead_to_every_row_once(store: SqliteRecords, seed: int) -> None:
    draw = Random(seed)
    fill(store, draw)
    everything = [one for page in walk(store, OutputFilter(status=KEPT, limit=4)) for one in page]
    views = [view for view in (store.task_execution(ACME, one) for one in everything) if view is not None]
    for _ in range(80):
        which = evolve(drawn_filter(draw), limit=draw.choice((1, 2, 5)))
        expected = [view.id for view in views if fits(view, which)]
        assert [one for page in walk(store, which) for one in page] == expected, which
        assert store.product.count_outputs(ACME, which) == len(expected), which
        oldest = evolve(which, ending_before=everything[-1])
        forward = [one for page in walk(store, oldest, forward=True) for one in page[::-1]]
        assert forward == [view.id for view in reversed(views[:-1]) if fits(view, which)], which


@pytest.mark.usefixtures("narrow")
def test_a_page_that_examined_enough_comes_back_empty_with_a_place_to_go_on(store: SqliteRecords) -> None:
    story = Story(store)
    ids = [story.run(f"t{number}") for number in range(20)]
    page = store.outputs(ACME, OutputFilter(limit=5, modified_by=("system", "nobody"), state=("SUCCESS", "FAILED"),
                                            created_before=1))  # fmt: skip
    assert (page.data, page.has_more, page.next) == ((), True, ids[13])
    forward = store.outputs(ACME, OutputFilter(limit=5, created_before=1, ending_before=ids[0]))
    assert (forward.data, forward.has_more, forward.next) == ((), True, ids[7])


def test_a_page_that_took_too_long_comes_back_short(store: SqliteRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(store)
    ids = [story.run(f"t{number}") for number in range(20)]
    monkeypatch.setattr(listing, "CHUNK", 3)
    monkeypatch.setattr(listing, "MAX_SECONDS", -1)
    page = store.outputs(ACME, OutputFilter(limit=2, created_before=1))
    assert (page.data, page.next) == ((), ids[17])


# -- what drives


@pytest.mark.parametrize(
    ("which", "driven"),
    [
        ({}, "organization_id = ?"), ({"task_name": ("t1",)}, "task_name = ?"),
        ({"task_name": ("t1",), "state": ("FAILED",)}, "state = ? AND state <> 'SUCCESS'"),
        ({"state": ("SUCCESS",)}, "organization_id = ?"), ({"modified_by": ("system",)}, "organization_id = ?"),
        ({"state": ("SUCCESS",), "flow_id": ("flow",)}, "namespace = ? AND flow_id = ?"),
        ({"flow_execution_id": ("e1",), "tag": ("k:v",)}, "key = ? AND value = ?"),
        ({"summary": (SummaryCondition("n", ">", "1"),)}, "path = ? AND text IS NULL AND number > ?"),
        ({"status": ("stale",), "namespace": ("company.*",)}, "stale_since IS NOT NULL"),
    ],
    ids=str,
)  # fmt: skip
def test_the_condition_with_the_fewest_rows_drives(store: SqliteRecords, which: dict[str, Any], driven: str) -> None:
    story = Story(store)
    for number in range(6):
        story.run(f"t{number % 3}", turn=number // 3)
    assert output_listing(store._db, ACME, OutputFilter(**which)).driver((0, END)).branches[0].where == driven


def test_a_range_with_many_rows_is_not_sorted(store: SqliteRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PROBE", 3)
    story = Story(store)
    for number in range(5):
        story.run(f"t{number}", summary={"n": number})

    def driven(limit: str) -> str:
        which = OutputFilter(summary=(SummaryCondition("n", ">=", limit),))
        return output_listing(store._db, ACME, which).driver((0, END)).branches[0].where

    assert (driven("0"), driven("3")) == ("organization_id = ?", "path = ? AND text IS NULL AND number >= ?")


def test_a_foreign_execution_drives_nothing(store: SqliteRecords) -> None:
    Story(store, organization="other").run("a")
    assert store.outputs(ACME, OutputFilter(flow_execution_id=("e1",))).data == ()
    assert output_listing(store._db, ACME, OutputFilter(flow_execution_id=("e1",))).driver((0, END)).branches[
        0
    ].values == ("",)


@pytest.mark.parametrize("number", [1, 100])
def test_a_page_of_a_list_is_a_few_queries_however_many_rows_it_has(store: SqliteRecords, number: int) -> None:
    story = Story(store)
    for one in range(number):
        story.run(f"t{one}")
    store.product.tag_outputs(ACME, ["e1-t0"], {"k": "v"}, (), by="me", at=1)
    seen: list[str] = []
    store._db._reader.set_trace_callback(seen.append)  # the only way to know what SQLite was asked
    assert len(store.outputs(ACME, OutputFilter(limit=200)).data) == number
    assert len(store.executions(ACME, ExecutionFilter(limit=200)).data) == 1
    assert len(seen) <= 6


def test_many_ids_are_looked_up_one_by_one(store: SqliteRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = tuple(Story(store, f"e{number}").run("a", 1) for number in range(20))
    asked: list[tuple[str, Any]] = []
    select, maps = store._db.select, store._db.select_maps
    monkeypatch.setattr(store._db, "select", lambda sql, values=(): asked.append((sql, values)) or select(sql, values))
    monkeypatch.setattr(
        store._db, "select_maps", lambda sql, values=(): asked.append((sql, values)) or maps(sql, values)
    )
    found = store.outputs(
        ACME, OutputFilter(flow_execution_id=tuple(one.removesuffix("-a") for one in ids), tag=("k",))
    )
    assert (found.data, len(store.product.bodies(ACME, ids))) == ((), 20)
    plans = [detail for sql, values in asked for *_, detail in select(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert [one for one in plans if "_newest" in one or one.startswith(("SCAN task", "SCAN flow"))] == []


# -- dates

_SPAN = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
_DATE = st.none() | st.integers(0, 10)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = SqliteRecords(tmp_path_factory.mktemp("spans"), durable=False, now=1)
    yield made
    made.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    spans=st.lists(st.none() | _SPAN, max_size=8), extra=st.integers(0, 2), newest_first=st.booleans(),
    created=st.tuples(_DATE, _DATE), updated=st.tuples(_DATE, _DATE), within=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)  # fmt: skip
def test_dates_leave_exactly_the_blocks_that_can_have_rows_of_them(
    empty: SqliteRecords, spans: list[Any], extra: int, newest_first: bool, created: Any, updated: Any, within: Any
) -> None:
    database, top = empty._db, len(spans)
    with database.writing():
        database.execute("DELETE FROM time_spans")
        for block, span in enumerate(spans):
            if span is not None:  # no row of this organization
                values = (*sorted(span[:2]), *sorted(span[2:]))
                database.execute(
                    "INSERT INTO time_spans VALUES ('task_executions', 'acme', ?, ?, ?, ?, ?)", (block, *values)
                )

    class Known:
        select = staticmethod(database.select)

        @staticmethod
        def read(name: str, values: Any = ()) -> list[Any]:
            return [(top,)]

    def can_have(block: int) -> bool:
        if block >= top:
            return True
        if spans[block] is None:
            return False
        low, high = sorted(spans[block][:2])
        first, last = sorted(spans[block][2:])
        (after, before), (since, until) = created, updated
        return ((after is None or high >= after) and (before is None or low < before)
                and (since is None or last >= since) and (until is None or first < until))  # fmt: skip

    low, high = within[0] * BLOCK, (within[1] + within[0] + extra) * BLOCK
    found = list(
        segments(Known, "task_executions", "acme", Dates(created, updated), (low, high), newest_first=newest_first)
    )  # type: ignore[arg-type]
    found = [(start, end) for start, end in found if start < end]
    assert found == sorted(found, reverse=newest_first)
    assert all(low <= start and end <= high for start, end in found)
    covered = {block for start, end in found for block in range(start // BLOCK, -(-end // BLOCK))}
    asked = range(low // BLOCK, high // BLOCK)
    assert {block for block in asked if can_have(block)} <= covered
    known_not = {block for block in asked if block < top and spans[block] is not None and not can_have(block)}
    assert not covered & known_not


MANY_ROWS = 3 * BLOCK + 100
COPIES = f"""
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY_ROWS})
    INSERT INTO task_executions (id, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name,
      type, path_json, turn, state, history_json, attempts_json, version, created_at, updated_at, ended_at)
    SELECT 'c' || i, organization_id, flow_execution_id, namespace, flow_id, 1, 'copy', type, '["' || i || '"]', 0,
      'SUCCESS', '[]', '[]', 1, 5000 - i % 7 + i, 5000 + i, 5000 + i FROM task_executions, n"""


def test_lists_by_dates_find_the_same_rows_as_a_look_at_each(store: SqliteRecords, tmp_path: Path) -> None:
    Story(store).run("a")
    rows(tmp_path, COPIES)
    assert rows(tmp_path, "SELECT count(*) FROM time_spans WHERE rows_of = 'task_executions'") == [(3,)]
    store.product.tag_outputs(ACME, ["c10", "c2000"], {"k": ""}, (), by="me", at=90_000)
    everything = rows(tmp_path, "SELECT id, created_at, updated_at FROM task_executions ORDER BY seq DESC")
    for given_ in ({"created_after": 7000}, {"created_before": 5300}, {"updated_after": 89_000}, {"updated_before": 5007},
                   {"created_after": 6000, "created_before": 6010}, {"updated_after": 95_000}):  # fmt: skip
        which = OutputFilter(limit=1000, **given_)
        after, before = given_.get("created_after", 0), given_.get("created_before", END)
        since, until = given_.get("updated_after", 0), given_.get("updated_before", END)
        expected = [one for one, at, moved in everything if after <= at < before and since <= moved < until]
        assert [one for page in walk(store, which) for one in page] == expected
        assert store.product.count_outputs(ACME, which) == len(expected)


def test_what_is_known_of_dates_is_forgotten_with_rows_that_are_purged(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    story.run("a")
    rows(tmp_path, COPIES)
    story.finish()
    store.purge_execution(ACME, "e1")
    assert rows(tmp_path, "SELECT * FROM time_spans") == []
    again = Story(store, "e2", at=10**6)
    one = again.run("a")
    assert [view.id for view in store.outputs(ACME, OutputFilter(created_after=10**6)).data] == [one]


def test_old_homes_learn_the_dates_and_flows_of_their_rows(tmp_path: Path) -> None:
    made = SqliteRecords(tmp_path, durable=False, now=1)
    Story(made).run("a")
    made.close()
    migration = (Path(queries.__file__).parent / "sql" / "0002_product.sql").read_text("utf-8")
    rows(tmp_path, COPIES)
    known = rows(tmp_path, "SELECT * FROM time_spans"), rows(tmp_path, "SELECT * FROM flow_places")
    for table in ("time_spans", "flow_places"):
        rows(tmp_path, f"DELETE FROM {table}")
        for statement in migration.split(";"):
            if f"INSERT INTO {table}" in statement and "TRIGGER" not in statement:
                rows(tmp_path, statement)
    assert (rows(tmp_path, "SELECT * FROM time_spans"), rows(tmp_path, "SELECT * FROM flow_places")) == known
