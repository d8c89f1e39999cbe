from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest

import tailrace_jdbc_duckdb
from core.model.codec import normalise
from core.sdk.properties import to_plain
from core.testing.plain_context import Metric, PlainContext
from tailrace_jdbc_duckdb.tasks import Query

UUID = "6105c7fe-4334-4f32-ba52-c3e1bea52893"


def query(ctx: PlainContext, sql: str, **properties: Any) -> dict[str, Any]:
    """The outputs that were given, as they are recorded."""
    output = normalise(to_plain(Query(sql=sql, **properties).run(ctx)))
    return {name: value for name, value in output.items() if value is not None}


def stored(ctx: PlainContext, uri: str) -> bytes:
    with ctx.storage.open(uri) as stream:
        return stream.read()


def test_the_references_name_the_classes() -> None:
    for reference in tailrace_jdbc_duckdb.task_types():
        module, _, name = reference.target.partition(":")
        cls = getattr(import_module(module), name)
        title = (cls.__doc__ or "").strip()
        assert (cls.type, cls.aliases, title) == (reference.name, reference.aliases, reference.title)


class TestRows:
    def test_no_rows_are_fetched_by_default(self, ctx: PlainContext) -> None:
        assert query(ctx, "SELECT 1 AS a") == {}
        assert ctx.metrics == []

    def test_fetch_gives_all_rows(self, ctx: PlainContext) -> None:
        assert query(ctx, "SELECT range AS n FROM range(3)", fetch_type="FETCH") == {
            "rows": [{"n": 0}, {"n": 1}, {"n": 2}], "size": 3, "columns": ["n"],
        }  # fmt: skip

    def test_fetch_one_gives_the_first_row(self, ctx: PlainContext) -> None:
        given = query(ctx, "SELECT range AS n FROM range(3)", fetch_type="FETCH_ONE")
        assert given == {"row": {"n": 0}, "size": 1, "columns": ["n"]}

    def test_fetch_one_of_nothing_is_null(self, ctx: PlainContext) -> None:
        output = Query(sql="SELECT 1 AS n WHERE false", fetch_type="FETCH_ONE").run(ctx)
        assert (output.row, output.size, output.columns) == (None, 0, ["n"])

    def test_the_older_booleans_win_in_their_order(self, ctx: PlainContext) -> None:
        assert "rows" in query(ctx, "SELECT 1", fetch=True, fetch_one=True, store=True, fetch_type="NONE")
        assert "row" in query(ctx, "SELECT 1", fetch_one=True, store=True, fetch_type="FETCH")
        assert "uri" in query(ctx, "SELECT 1", store=True, fetch_type="FETCH")

    def test_a_trailing_semicolon_and_a_comment_are_fine(self, ctx: PlainContext) -> None:
        for fetch_type, name in (("FETCH", "rows"), ("STORE", "uri")):
            assert name in query(ctx, "SELECT 1 AS a; -- done;\n ; /* ; */ ", fetch_type=fetch_type)

    def test_equal_column_names_are_numbered_as_in_files(self, ctx: PlainContext) -> None:
        sql = 'SELECT 1 AS a, 2 AS a, 3 AS "A"'
        rows = query(ctx, sql, fetch_type="FETCH")["rows"]
        assert rows == [{"a": 1, "a_1": 2, "A_2": 3}]
        assert json.loads(stored(ctx, query(ctx, sql, fetch_type="STORE")["uri"])) == rows[0]

    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("1.10::DECIMAL(5, 2)", Decimal("1.10")),
            ("DATE '2024-02-29'", date(2024, 2, 29)),
            ("TIMESTAMP '2024-02-29 10:00:00.5'", datetime(2024, 2, 29, 10, 0, 0, 500_000)),
            ("TIMESTAMPTZ '2024-02-29 10:00:00+02'", datetime.fromisoformat("2024-02-29T08:00:00+00:00")),
            ("INTERVAL '1 day 2 hours'", timedelta(days=1, hours=2)),
            ("170141183460469231731687303715884105727", 170141183460469231731687303715884105727),
            (f"'{UUID}'::UUID", UUID),
            (f"[{{'id': '{UUID}'::UUID}}]", [{"id": UUID}]),
            ("[1, 2]::INTEGER[2]", [1, 2]),
            ("MAP {'k': [1.5]}", {"k": [Decimal("1.5")]}),
            ("'ab'::BLOB", b"ab"),
            ("NULL", None),
            ("true", True),
            ("'text'", "text"),
            ("0.5::DOUBLE", 0.5),
        ],
    )
    def test_values_keep_their_types(self, ctx: PlainContext, expression: str, value: object) -> None:
        assert query(ctx, f"SELECT {expression} AS v", fetch_type="FETCH_ONE")["row"] == {"v": value}

    @pytest.mark.parametrize("fetch_type", ["FETCH", "FETCH_ONE", "STORE"])
    @pytest.mark.parametrize("sql", ["CREATE TABLE t (i INT)", "SET threads = 1", "ATTACH ':memory:' AS other"])
    def test_a_statement_without_a_result_set_gives_no_output(
        self, ctx: PlainContext, sql: str, fetch_type: str
    ) -> None:
        assert query(ctx, sql, fetch_type=fetch_type) == {}
        assert ctx.metrics == []

    @pytest.mark.parametrize(
        ("fetch_type", "size", "tags"),
        [
            ("FETCH", 3, {"fetch": "true", "store": "false"}),
            ("FETCH_ONE", 1, {"fetch": "true", "store": "false"}),
            ("STORE", 3, {"fetch": "false", "store": "true"}),
        ],
    )
    def test_the_number_of_rows_is_counted(
        self, ctx: PlainContext, fetch_type: str, size: int, tags: dict[str, str]
    ) -> None:
        query(ctx, "FROM range(3)", fetch_type=fetch_type)
        assert ctx.metrics == [Metric("fetch.size", size, "counter", tags)]

    def test_the_summary_tells_rows_and_columns(self, ctx: PlainContext) -> None:
        for fetch_type in ("FETCH", "STORE"):
            output = query(ctx, "SELECT range, 1 AS b FROM range(3)", fetch_type=fetch_type)
            assert Query.summary(output) == {"row_count": 3, "columns": 2, "size": 3}
        assert Query.summary(query(ctx, "SELECT 1")) == {}


class TestStoredRows:
    def test_rows_are_json_lines_by_default(self, ctx: PlainContext) -> None:
        given = query(ctx, "SELECT range AS n, 'x' || range AS t FROM range(2)", fetch_type="STORE")
        assert given["uri"].endswith("/result.jsonl")
        assert stored(ctx, given["uri"]) == b'{"n":0,"t":"x0"}\n{"n":1,"t":"x1"}\n'
        assert (given["size"], given["columns"]) == (2, ["n", "t"])

    def test_rows_are_csv_by_property(self, ctx: PlainContext) -> None:
        given = query(ctx, "SELECT range AS n, 'a,b' AS t FROM range(2)", fetch_type="STORE", store_format="CSV")
        assert given["uri"].endswith("/result.csv")
        assert stored(ctx, given["uri"]) == b'n,t\n0,"a,b"\n1,"a,b"\n'

    def test_rows_are_parquet_by_property(self, ctx: PlainContext, tmp_path: Path) -> None:
        given = query(ctx, "SELECT range AS n FROM range(2)", fetch_type="STORE", store_format="PARQUET")
        assert given["uri"].endswith("/result.parquet")
        (tmp_path / "r.parquet").write_bytes(stored(ctx, given["uri"]))
        assert duckdb.execute(f"FROM '{tmp_path}/r.parquet'").fetchall() == [(0,), (1,)]

    def test_no_rows_are_an_empty_file(self, ctx: PlainContext) -> None:
        given = query(ctx, "SELECT 1 AS a WHERE false", fetch_type="STORE")
        assert (stored(ctx, given["uri"]), given["size"], given["columns"]) == (b"", 0, ["a"])

    def test_the_order_of_rows_is_kept(self, ctx: PlainContext) -> None:
        given = query(ctx, "FROM range(300_000) ORDER BY range DESC", fetch_type="STORE", store_format="CSV")
        lines = stored(ctx, given["uri"]).split()
        assert (given["size"], lines[:2], lines[-1]) == (300_000, [b"range", b"299999"], b"0")

    @pytest.mark.parametrize(
        ("sql", "rows"),
        [
            ("VALUES (1)", [{"col0": 1}]),
            ("WITH a AS (SELECT 1 AS x) FROM a", [{"x": 1}]),
            ("DESCRIBE SELECT 1 AS x", [{"column_name": "x", "column_type": "INTEGER", "null": "YES", "key": None,
                                         "default": None, "extra": None}]),
            ("PIVOT (SELECT 'k' AS k, 2 AS n) ON k USING sum(n)", [{"k": 2}]),
            ("CALL range(2)", [{"range": 0}, {"range": 1}]),
            ("SELECT 1 AS a -- a comment", [{"a": 1}]),
        ],
    )  # fmt: skip
    def test_every_statement_with_rows_can_be_stored(
        self, ctx: PlainContext, sql: str, rows: list[dict[str, Any]]
    ) -> None:
        given = query(ctx, sql, fetch_type="STORE")
        assert [json.loads(line) for line in stored(ctx, given["uri"]).splitlines()] == rows
        assert (given["size"], given["columns"]) == (len(rows), list(rows[0]))
