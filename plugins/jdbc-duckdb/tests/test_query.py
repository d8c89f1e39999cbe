from __future__ import annotations

import json
import threading
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest
import tailrace_jdbc_duckdb
from tailrace_jdbc_duckdb.tasks import Queries, Query

from core.errors import Forbidden, Interrupted, Invalid, NotFound, TailraceError, TaskFailed
from core.model.codec import normalise
from core.sdk.properties import to_plain
from core.testing.plain_context import Metric, PlainContext

UUID = "6105c7fe-4334-4f32-ba52-c3e1bea52893"
FOREIGN_URLS = (
    "jdbc:postgresql://host/db", "duckdb:x.db", "jdbc:duckdb:md:cloud", "jdbc:duckdb::memory:shared",
)  # fmt: skip


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    context = PlainContext(tmp_path)
    context.variables = {"workingDir": str(context.working_dir)}
    return context


def query(ctx: PlainContext, sql: str, **properties: Any) -> dict[str, Any]:
    """The outputs that were given, as they are recorded."""
    output = normalise(to_plain(Query(sql=sql, **properties).run(ctx)))
    return {name: value for name, value in output.items() if value is not None}


def queries(ctx: PlainContext, sql: str, **properties: Any) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = normalise(to_plain(Queries(sql=sql, **properties).run(ctx)))["outputs"]
    return outputs


def stored(ctx: PlainContext, uri: str) -> bytes:
    with ctx.storage.open(uri) as stream:
        return stream.read()


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

    def test_fetch_size_is_accepted_with_a_warning(self, ctx: PlainContext) -> None:
        query(ctx, "SELECT 1", fetch_size=100)
        assert ctx.log.lines == [("WARN", "`fetchSize` has no effect: DuckDB writes stored rows by itself")]

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


class TestFiles:
    def test_the_query_of_the_tutorial(self, ctx: PlainContext, tmp_path: Path) -> None:
        (tmp_path / "p.csv").write_text("brand,price\nA,1.5\nB,10\nA,2.5\n")
        uri = ctx.storage.put(tmp_path / "p.csv", "products.csv").uri
        given = query(
            ctx,
            """SELECT brand, round(avg(price), 2) as avg_price
            FROM read_csv_auto('{{ workingDir }}/in.csv', header=True)
            GROUP BY brand
            ORDER BY avg_price DESC;
            """,
            input_files={"in.csv": uri}, store=True,
        )  # fmt: skip
        assert stored(ctx, given["uri"]) == b'{"brand":"B","avg_price":10.0}\n{"brand":"A","avg_price":2.0}\n'
        assert Query.summary(given) == {"row_count": 2, "columns": 2, "size": 2}

    @pytest.mark.parametrize("files", [{"dir/in.csv": "a\n1\n"}, '{"dir/in.csv": "a\\n1\\n"}'])
    def test_input_files_may_be_text_and_the_map_json(self, ctx: PlainContext, files: Any) -> None:
        given = query(ctx, "FROM '{{ workingDir }}/dir/in.csv'", fetch=True, input_files=files)
        assert given["rows"] == [{"a": 1}]

    def test_output_files_are_written_by_sql_and_stored(self, ctx: PlainContext) -> None:
        given = query(ctx, "COPY (SELECT 1 AS a) TO '{{ outputFiles.out }}' (FORMAT csv)", output_files=["out"])
        assert list(given) == ["outputFiles"]
        assert stored(ctx, given["outputFiles"]["out"]) == b"a\n1\n"

    def test_an_output_file_that_was_not_written_is_missed(self, ctx: PlainContext) -> None:
        assert failure(ctx, "SELECT 1", NotFound, output_files=["out"]) == (
            "the output file `out` was not written\n  to do: write it or don't ask for it"
        )

    @pytest.mark.parametrize("properties", [{"output_files": ["../out"]}, {"input_files": {"../out": "x"}}])
    def test_no_file_leads_out(self, ctx: PlainContext, properties: dict[str, Any]) -> None:
        assert failure(ctx, "SELECT 1", Forbidden, **properties) == (
            "`../out` is not the name of a file inside the task's directory\n  expected: a relative path without `..`"
        )

    def test_nothing_is_stored_when_a_statement_fails(self, ctx: PlainContext) -> None:
        with pytest.raises(TaskFailed):
            Queries(sql="SELECT 1; SELECT nope", fetch_type="STORE").run(ctx)
        assert not ctx.storage.root.exists()


class TestDatabases:
    def test_a_file_named_in_the_url(self, ctx: PlainContext, tmp_path: Path) -> None:
        path = database(tmp_path / "my.db", "CREATE TABLE t AS SELECT 1 AS a")
        assert query(ctx, "FROM t", url=f"jdbc:duckdb:{path}", fetch=True)["rows"] == [{"a": 1}]
        assert query(ctx, "FROM t", database_file=str(path), fetch=True)["rows"] == [{"a": 1}]

    def test_options_in_the_url_are_duckdbs(self, ctx: PlainContext, tmp_path: Path) -> None:
        path = database(tmp_path / "my.db")
        assert failure(ctx, "CREATE TABLE t (i INT)", url=f"jdbc:duckdb:{path};access_mode=READ_ONLY") == (
            'Invalid Input Error: Cannot execute statement of type "CREATE" on database "my" which is attached in '
            "read-only mode!"
        )

    def test_a_relative_file_is_one_of_the_working_directory(self, ctx: PlainContext, tmp_path: Path) -> None:
        uri = ctx.storage.put(database(tmp_path / "my.db", "CREATE TABLE t AS SELECT 1 AS a"), "my.db").uri
        for properties in ({"url": "jdbc:duckdb:sub/in.db"}, {"database_file": "sub/in.db"}):
            rows = query(ctx, "FROM t", input_files={"sub/in.db": uri}, fetch=True, **properties)["rows"]
            assert rows == [{"a": 1}]

    def test_a_stored_database_is_opened_as_a_copy(self, ctx: PlainContext, tmp_path: Path) -> None:
        uri = ctx.storage.put(database(tmp_path / "my.db", "CREATE TABLE t AS SELECT 1 AS a"), "my.db").uri
        before = stored(ctx, uri)
        assert query(ctx, "INSERT INTO t VALUES (2)", database_uri=uri) == {}
        assert stored(ctx, uri) == before

    def test_a_database_linked_into_the_storage_is_copied_first(
        self, ctx: PlainContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = database(tmp_path / "my.db", "CREATE TABLE t AS SELECT 1 AS a")
        before = original.read_bytes()
        monkeypatch.setattr(type(ctx.storage), "fetch", lambda self, uri, target: target.hardlink_to(original))
        given = query(ctx, "INSERT INTO t VALUES (2)", database_uri="storage:///my.db", output_db_file=True)
        assert original.read_bytes() == before
        assert len(stored(ctx, given["databaseUri"])) > 0

    def test_a_database_in_memory_can_be_stored_and_opened_again(self, ctx: PlainContext) -> None:
        given = query(ctx, "CREATE TABLE t AS SELECT 42 AS a", output_db_file=True)
        assert given["databaseUri"].endswith("/database.duckdb")
        assert query(ctx, "FROM t", database_uri=given["databaseUri"], fetch=True)["rows"] == [{"a": 42}]

    def test_storing_a_database_of_the_machine_leaves_it_there(self, ctx: PlainContext, tmp_path: Path) -> None:
        path = database(tmp_path / "my.db")
        given = query(ctx, "CREATE TABLE t (i INT)", database_file=str(path), output_db_file=True)
        assert stored(ctx, given["databaseUri"]) == path.read_bytes()

    def test_two_tasks_may_use_one_database_of_the_machine_at_once(self, tmp_path: Path) -> None:
        path = database(tmp_path / "my.db", "CREATE TABLE t (i INT)")
        failures: list[TailraceError] = []
        zones = ("Asia/Tokyo", "Europe/Berlin")

        def work(number: int) -> None:
            context = PlainContext(tmp_path / f"task-{number}")
            try:
                for _ in range(5):
                    query(context, "INSERT INTO t VALUES (1)", database_file=str(path), time_zone_id=zones[number])
            except TailraceError as reason:
                failures.append(reason)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []

    @pytest.mark.parametrize("url", FOREIGN_URLS)
    def test_other_urls_are_refused(self, ctx: PlainContext, url: str) -> None:
        assert failure(ctx, "SELECT 1", Invalid, url=url) == (
            f"`{url}` is not the URL of a DuckDB file\n"
            "  expected: jdbc:duckdb: (in memory) or jdbc:duckdb:/path/of/a/file.db"
        )

    def test_two_databases_are_refused(self, ctx: PlainContext) -> None:
        assert failure(ctx, "SELECT 1", Invalid, url="jdbc:duckdb:a.db", database_uri="storage:///b.db") == (
            "`url` and `databaseUri` both name a database\n  expected: one of them"
        )

    def test_a_file_that_is_no_database_says_so(self, ctx: PlainContext, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("hello" * 1000)
        assert failure(ctx, "SELECT 1", database_file=str(tmp_path / "text")) == (
            f'IO Error: The file "{tmp_path}/text" exists, but it is not a valid DuckDB database file!'
        )

    def test_duckdb_keeps_its_own_files_in_our_directories(self, ctx: PlainContext) -> None:
        sql = "SELECT name, value FROM duckdb_settings() WHERE name = 'temp_directory'"
        assert query(ctx, sql, fetch_one=True)["row"]["value"] == str(ctx.working_dir / ".duckdb-attempt/temp")
        assert failure(ctx, "CREATE PERSISTENT SECRET s (TYPE http)").startswith("Invalid Input Error: ")


    @pytest.mark.parametrize("sql", ["SELECT 1", "SELECT nope"])
    def test_nothing_of_ours_is_left_in_the_working_directory(self, ctx: PlainContext, sql: str) -> None:
        try:
            query(ctx, sql, store=True, output_db_file=True, input_files={"in.csv": "a"})
        except TaskFailed:
            assert sql == "SELECT nope"
        assert [path.name for path in ctx.working_dir.iterdir()] == ["in.csv"]


class TestStop:
    def test_a_kill_stops_a_running_query(self, ctx: PlainContext) -> None:
        timer = threading.Timer(0.3, ctx.stop)
        timer.start()
        began = time.monotonic()
        assert failure(ctx, "SELECT count(*) FROM range(1000000) a, range(1000000) b", Interrupted) == (
            "the query was stopped"
        )
        assert time.monotonic() - began < 5
        timer.join()

    def test_a_query_that_is_written_to_a_file_stops_too(self, ctx: PlainContext) -> None:
        timer = threading.Timer(0.3, ctx.stop)
        timer.start()
        assert failure(ctx, "FROM range(1000000) a, range(1000000) b", Interrupted, store=True) == (
            "the query was stopped"
        )
        timer.join()

    def test_nothing_runs_after_a_kill(self, ctx: PlainContext, tmp_path: Path) -> None:
        ctx.stop()
        path = database(tmp_path / "my.db")
        assert failure(ctx, "CREATE TABLE t (i INT)", Interrupted, database_file=str(path)) == "the query was stopped"
        connection = duckdb.connect(str(path))
        assert connection.execute("SHOW TABLES").fetchall() == []
        connection.close()


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
        path = database(tmp_path / "my.db", "CREATE TABLE t (i INT UNIQUE)")
        with pytest.raises(TaskFailed) as caught:
            Queries(
                sql="INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)", database_file=str(path),
                transaction=transaction,
            ).run(ctx)  # fmt: skip
        assert str(caught.value).startswith("statement 2 of 2: Constraint Error: ")
        sql = "SELECT count(*) AS n FROM t"
        assert query(ctx, sql, database_file=str(path), fetch_one=True)["row"] == {"n": left}
