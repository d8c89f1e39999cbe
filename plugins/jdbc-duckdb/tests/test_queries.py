from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import TaskFailed
from core.model.codec import normalise
from core.sdk.properties import to_plain
from core.testing.plain_context import Metric, PlainContext
from tailrace_jdbc_duckdb.tasks import Queries


def queries(ctx: PlainContext, sql: str, **properties: Any) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = normalise(to_plain(Queries(sql=sql, **properties).run(ctx)))["outputs"]
    return outputs


def stored(ctx: PlainContext, uri: str) -> bytes:
    with ctx.storage.open(uri) as stream:
        return stream.read()


class TestQueries:
    def test_each_statement_with_a_result_set_gives_an_entry(self, ctx: PlainContext) -> None:
        sql = "CREATE TABLE t (i INT); INSERT INTO t VALUES (1), (2); SELECT sum(i) AS s FROM t; FROM t WHERE i > 1;"
        assert queries(ctx, sql, fetch_type="FETCH") == [
            {"rows": [{"s": 3}], "size": 1, "columns": ["s"]},
            {"rows": [{"i": 2}], "size": 1, "columns": ["i"]},
        ]
        assert ctx.metrics == [Metric("fetch.size", 2, "counter", {"fetch": "true", "store": "false"})]

    def test_an_entry_is_empty_when_nothing_is_fetched(self, ctx: PlainContext) -> None:
        assert queries(ctx, "CREATE TABLE t (i INT); FROM t; FROM t") == [{}, {}]

    def test_each_stored_result_has_its_own_file(self, ctx: PlainContext) -> None:
        outputs = queries(ctx, "SELECT 1 AS a; SET threads = 1; SELECT 2 AS a", fetch_type="STORE")
        assert [stored(ctx, entry["uri"]) for entry in outputs] == [b'{"a":1}\n', b'{"a":2}\n']
        assert [entry["uri"].rpartition("/")[2] for entry in outputs] == ["result-1.jsonl", "result-3.jsonl"]
        assert Queries.summary({"outputs": outputs}) == {"results": 2, "row_count": 2, "columns": 2, "size": 2}

    @pytest.mark.parametrize(("transaction", "left"), [(True, 0), (False, 1)])
    def test_a_failure_undoes_the_transaction(
        self, ctx: PlainContext, tmp_path: Path, transaction: bool, left: int
    ) -> None:
        path = tmp_path / "my.db"
        queries(ctx, "CREATE TABLE t (i INT UNIQUE)", database_file=str(path))
        with pytest.raises(TaskFailed) as caught:
            Queries(
                sql="INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)", database_file=str(path),
                transaction=transaction,
            ).run(ctx)  # fmt: skip
        assert str(caught.value).startswith("statement 2 of 2: Constraint Error: ")
        outputs = queries(ctx, "SELECT count(*) AS n FROM t", database_file=str(path), fetch_one=True)
        assert outputs[0]["row"] == {"n": left}

    def test_nothing_is_stored_when_a_statement_fails(self, ctx: PlainContext) -> None:
        with pytest.raises(TaskFailed):
            Queries(sql="SELECT 1; SELECT nope", fetch_type="STORE").run(ctx)
        assert not ctx.storage.root.exists()

    def test_returned_rows_are_stored_and_the_change_is_made_once(self, ctx: PlainContext) -> None:
        outputs = queries(
            ctx,
            """CREATE TABLE t (d DECIMAL(6, 3), u UUID, "odd ""name" VARCHAR);
            INSERT INTO t VALUES (1.5, '6105c7fe-4334-4f32-ba52-c3e1bea52893', 'a'), (100.125, NULL, NULL) RETURNING *;
            SELECT count(*) AS n FROM t""",
            fetch_type="STORE",
        )
        assert [json.loads(line) for line in stored(ctx, outputs[0]["uri"]).splitlines()] == [
            {"d": 1.5, "u": "6105c7fe-4334-4f32-ba52-c3e1bea52893", 'odd "name': "a"},
            {"d": 100.125, "u": None, 'odd "name': None},
        ]
        assert outputs[0]["size"] == 2
        assert stored(ctx, outputs[1]["uri"]) == b'{"n":2}\n'


def test_no_progress_is_drawn_where_duckdb_takes_the_program_for_a_prompt(tmp_path: Path) -> None:
    """As in a worker process, whose program has no file: the bar would go to the engine's standard error."""
    code = (
        "import sys; from pathlib import Path\n"
        "from core.testing.plain_context import PlainContext; from tailrace_jdbc_duckdb.tasks import Query\n"
        "ctx = PlainContext(Path(sys.argv[1])); ctx.variables = {'workingDir': str(ctx.working_dir)}\n"
        "sql = \"SELECT current_setting('enable_progress_bar') AS drawn\"\n"
        "print(Query(sql=sql, fetch_type='FETCH_ONE').run(ctx).row)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("{'drawn': False}\n", "")
