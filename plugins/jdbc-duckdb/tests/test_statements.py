from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.errors import Interrupted, Invalid, TailraceError, TaskFailed
from core.model.codec import normalise
from core.sdk.properties import to_plain
from core.testing.plain_context import PlainContext
from tailrace_jdbc_duckdb.tasks import Query


def query(ctx: PlainContext, sql: str, **properties: Any) -> dict[str, Any]:
    """The outputs that were given, as they are recorded."""
    output = normalise(to_plain(Query(sql=sql, **properties).run(ctx)))
    return {name: value for name, value in output.items() if value is not None}


def failure(ctx: PlainContext, sql: str, kind: type[TailraceError] = TaskFailed, **properties: Any) -> str:
    with pytest.raises(kind) as caught:
        Query(sql=sql, **properties).run(ctx)
    return str(caught.value)


def database(path: Path, *statements: str) -> Path:
    connection = duckdb.connect(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return path


class TestStatements:
    def test_several_statements_are_refused(self, ctx: PlainContext) -> None:
        assert failure(ctx, "SELECT 1; SELECT 2", Invalid) == (
            "Query task support only a single SQL statement. Use the Queries task to run multiple statements."
        )

    @pytest.mark.parametrize("sql", ["", " ; ", "-- nothing"])
    def test_no_statement_is_refused(self, ctx: PlainContext, sql: str) -> None:
        assert failure(ctx, sql, Invalid) == "the SQL holds no statement\n  expected: a SQL statement"

    def test_a_mistake_is_shown_with_its_place(self, ctx: PlainContext) -> None:
        assert failure(ctx, "SELEC 1") == (
            'Parser Error: syntax error at or near "SELEC"\n\nLINE 1: SELEC 1\n        ^^^^^'
        )

    @pytest.mark.parametrize("fetch_type", ["NONE", "FETCH", "FETCH_ONE", "STORE"])
    def test_the_place_is_that_in_the_flow_whatever_becomes_of_the_rows(
        self, ctx: PlainContext, fetch_type: str
    ) -> None:
        assert failure(ctx, "SELECT b FROM (SELECT 1 AS a)", fetch_type=fetch_type) == (
            'Binder Error: Referenced column "b" not found in FROM clause!\nCandidate bindings: "a"\n\n'
            "LINE 1: SELECT b FROM (SELECT 1 AS a)\n               ^"
        )
        assert failure(ctx, "SELECT\n  t::INT FROM (VALUES ('x')) v(t);", fetch_type=fetch_type).endswith(
            "LINE 2:   t::INT FROM (VALUES ('x')) v(t)" + (";" if fetch_type != "STORE" else "") + "\n           ^^^^^"
        )

    def test_after_sql_runs_in_the_same_transaction(self, ctx: PlainContext, tmp_path: Path) -> None:
        path = database(tmp_path / "my.db", "CREATE TABLE t (i INT)", "CREATE TABLE log (n INT)")
        given = query(
            ctx, "INSERT INTO t VALUES (1), (2) RETURNING i", url=f"jdbc:duckdb:{path}",
            after_sql="INSERT INTO log SELECT count(*) FROM t;", fetch_type="FETCH",
        )  # fmt: skip
        assert given["rows"] == [{"i": 1}, {"i": 2}]
        message = failure(
            ctx, "INSERT INTO t VALUES (3)", url=f"jdbc:duckdb:{path}", after_sql="INSERT INTO log VALUES ('x')"
        )
        assert message == (
            "afterSQL: Conversion Error: Could not convert string 'x' to INT32\n\n"
            "LINE 1: INSERT INTO log VALUES ('x')\n                                ^^^"
        )
        sql = "SELECT (SELECT count(*) FROM t) AS t, (SELECT n FROM log) AS n"
        assert query(ctx, sql, url=f"jdbc:duckdb:{path}", fetch=True)["rows"] == [{"t": 2, "n": 2}]

    def test_after_sql_is_one_statement(self, ctx: PlainContext) -> None:
        assert failure(ctx, "SELECT 1", Invalid, after_sql="SELECT 1; SELECT 2") == (
            "`afterSQL` holds more than one statement\n  expected: a single SQL statement"
        )

    def test_python_variables_are_out_of_reach(self, ctx: PlainContext) -> None:
        assert failure(ctx, "FROM found").startswith("Catalog Error: Table with name found does not exist!")

    def test_what_duckdb_has_no_use_for_is_accepted_with_a_warning(self, ctx: PlainContext) -> None:
        written = {"fetch_size": 100, "username": "sa", "connection_pooling": False, "connection_pool_size": 10}
        query(ctx, "SELECT 1", **written)
        assert ctx.log.lines == [
            ("WARN", "`username` has no effect: DuckDB has no users"),
            ("WARN", "`fetchSize` has no effect: DuckDB writes stored rows by itself"),
            ("WARN", "`connectionPooling` has no effect: every task opens its own connection"),
            ("WARN", "`connectionPoolSize` has no effect: every task opens its own connection"),
        ]

    def test_the_time_zone_is_that_of_the_session(self, ctx: PlainContext) -> None:
        sql = "SELECT TIMESTAMPTZ '2024-07-01 10:00:00+00'::TEXT AS t"
        assert query(ctx, sql, fetch_one=True, time_zone_id="Asia/Tokyo")["row"] == {"t": "2024-07-01 19:00:00+09"}
        assert failure(ctx, sql, time_zone_id="Mars").startswith("Not implemented Error: Unknown TimeZone 'Mars'!")


class TestParameters:
    def test_names_are_bound(self, ctx: PlainContext) -> None:
        given = query(
            ctx, "SELECT :a + 1 AS n, :text AS t, $a AS again, :list AS l, ':a' AS literal, '1'::INT AS c -- :a",
            fetch_one=True, parameters={"a": 41, "text": "it's", "list": [1, 2], "unused": 0},
        )  # fmt: skip
        assert given["row"] == {"n": 42, "t": "it's", "again": 41, "l": [1, 2], "literal": ":a", "c": 1}

    @pytest.mark.parametrize("store_format", ["JSONL", "PARQUET", "CSV"])
    def test_names_are_bound_when_rows_are_stored(self, ctx: PlainContext, store_format: str) -> None:
        sql = "SELECT range AS n FROM range(10) WHERE range >= :least"
        assert query(ctx, sql, store=True, store_format=store_format, parameters={"least": 7})["size"] == 3

    def test_a_name_without_a_value_is_null_and_is_logged(self, ctx: PlainContext) -> None:
        assert query(ctx, "SELECT :nope IS NULL AS n", fetch_one=True, parameters={})["row"] == {"n": True}
        assert ctx.log.lines == [("WARN", "the parameter `:nope` has no value, null is bound")]

    def test_slices_and_structs_are_no_parameters(self, ctx: PlainContext) -> None:
        sql = "SELECT [1, 2, 3][1:n] AS s, {'a':n} AS m, :p AS p FROM (SELECT 2 AS n)"
        assert query(ctx, sql, fetch_one=True, parameters={"p": 1})["row"] == {"s": [1, 2], "m": {"a": 2}, "p": 1}

    def test_colons_mean_nothing_without_parameters(self, ctx: PlainContext) -> None:
        assert failure(ctx, "SELECT :a").startswith('Parser Error: syntax error at or near ":"')

    def test_a_value_is_never_read_as_sql(self, ctx: PlainContext) -> None:
        given = query(ctx, "SELECT :t AS t", fetch_one=True, parameters={"t": "'; DROP TABLE x; --"})
        assert given["row"] == {"t": "'; DROP TABLE x; --"}


class TestStop:
    def test_a_kill_stops_a_running_query(self, ctx: PlainContext) -> None:
        timer = threading.Timer(0.3, ctx.stop)
        timer.start()
        assert failure(ctx, "SELECT count(*) FROM range(1000000) a, range(1000000) b", Interrupted) == (
            "the query was stopped"
        )
        timer.join()

    def test_a_query_that_is_written_to_a_file_stops_too(self, ctx: PlainContext) -> None:
        timer = threading.Timer(0.3, ctx.stop)
        timer.start()
        assert failure(ctx, "FROM range(1000000) a, range(1000000) b", Interrupted, store=True) == (
            "the query was stopped"
        )
        timer.join()

    def test_a_file_that_fails_in_the_middle_ends_each_time(self, ctx: PlainContext) -> None:
        """DuckDB 2.0 with threads of its own for writing waits forever after about one of a hundred."""
        for row in (10_000, 300_000, 900_000):
            sql = f"SELECT CASE WHEN range = {row} THEN error('row {row}') ELSE range END FROM range(1000000)"
            assert f"row {row}" in failure(ctx, sql, store=True)
        assert query(ctx, "SELECT current_setting('async_threads') AS threads", fetch_one=True)["row"] == {"threads": 0}

    @pytest.mark.parametrize("milliseconds", [0, 1, 3, 10, 30])
    def test_a_kill_while_a_query_begins_or_ends_stops_it(self, ctx: PlainContext, milliseconds: int) -> None:
        timer = threading.Timer(milliseconds / 1000, ctx.stop)
        timer.start()
        sql = "FROM range(1000000) a, range(1000000) b"
        assert failure(ctx, sql, Interrupted, store=True) == "the query was stopped"
        timer.join()

    def test_nothing_runs_after_a_kill(self, ctx: PlainContext, tmp_path: Path) -> None:
        ctx.stop()
        path = database(tmp_path / "my.db")
        assert failure(ctx, "CREATE TABLE t (i INT)", Interrupted, database_file=str(path)) == "the query was stopped"
        connection = duckdb.connect(str(path))
        assert connection.execute("SHOW TABLES").fetchall() == []
        connection.close()
