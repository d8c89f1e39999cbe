from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.errors import Forbidden, Invalid, NotFound, TailraceError, TaskFailed
from core.model.codec import normalise
from core.sdk.properties import to_plain
from core.testing.plain_context import PlainContext
from tailrace_jdbc_duckdb.tasks import Query

FOREIGN_URLS = (
    "jdbc:postgresql://host/db", "duckdb:x.db", "jdbc:duckdb:md:cloud", "jdbc:duckdb::memory:shared",
)  # fmt: skip


def query(ctx: PlainContext, sql: str, **properties: Any) -> dict[str, Any]:
    """The outputs that were given, as they are recorded."""
    output = normalise(to_plain(Query(sql=sql, **properties).run(ctx)))
    return {name: value for name, value in output.items() if value is not None}


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

    def test_input_files_are_found_by_their_names(self, ctx: PlainContext) -> None:
        given = query(ctx, "FROM 'in.csv' JOIN 'dir/*.csv' USING (a)", fetch=True, input_files={
            "in.csv": "a,b\n1,2\n", "dir/more.csv": "a,c\n1,3\n",
        })  # fmt: skip
        assert given["rows"] == [{"a": 1, "b": 2, "c": 3}]

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
        connection = duckdb.connect(str(path))
        assert connection.execute("SELECT count(*) FROM t").fetchall() == [(10,)]
        connection.close()

    @pytest.mark.parametrize("url", FOREIGN_URLS)
    def test_other_urls_are_refused(self, ctx: PlainContext, url: str) -> None:
        assert failure(ctx, "SELECT 1", Invalid, url=url) == (
            f"$.url: `{url}` is not the URL of a DuckDB file\n"
            "  expected: jdbc:duckdb: (in memory) or jdbc:duckdb:/path/of/a/file.db"
        )

    def test_two_databases_are_refused(self, ctx: PlainContext) -> None:
        assert failure(ctx, "SELECT 1", Invalid, url="jdbc:duckdb:a.db", database_uri="storage:///b.db") == (
            "$.databaseUri: `url` and `databaseUri` both name a database\n  expected: one of them"
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
