"""One connection to DuckDB: statements in, rows or a file out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from attrs import frozen

from core.sdk import Interrupted, TaskFailed
from core.sdk.context import RunContext
from tailrace_jdbc_duckdb.common import FetchType, StoreFormat
from tailrace_jdbc_duckdb.location import Location, private_directory
from tailrace_jdbc_duckdb.statements import readable, unique, without_end

if TYPE_CHECKING:
    import duckdb

FORMATS: Mapping[StoreFormat, str] = {"JSONL": "FORMAT json", "PARQUET": "FORMAT parquet", "CSV": "FORMAT csv, HEADER"}
_NO_ROWS = ([("Count", "BIGINT")], [("Success", "BOOLEAN")])
_SECONDS_BETWEEN_INTERRUPTS = 0.05
_OPENINGS, _SECONDS_BETWEEN_OPENINGS = 100, 0.02


@frozen
class Rows:
    """What a statement gave. rows: as far as they were asked for. size: how many they are, here or in the file."""

    columns: list[str]
    size: int = 0
    rows: list[dict[str, Any]] | None = None
    file: Path | None = None


@contextmanager
def opened(ctx: RunContext, location: Location) -> Iterator[Database]:
    """A connection, closed after the block; what was not committed then is undone."""
    database = Database(ctx, location)
    try:
        with ctx.on_stop(database.interrupt):
            yield database
    finally:
        database.close()


class Database:
    """A connection that stops when the attempt is to stop."""

    def __init__(self, ctx: RunContext, location: Location) -> None:
        import duckdb  # noqa: PLC0415 -- heavy: only when a query runs

        self._duckdb = duckdb
        self._ctx = ctx
        self._closed = threading.Event()
        self._interrupting: threading.Thread | None = None
        self._beginning = threading.Lock()
        with self._failures():
            self._connection = self._connect(location)
        self._set("extension_directory", str(ctx.cache_dir / "duckdb-extensions"))
        self._set("SESSION file_search_path", str(ctx.working_dir))  # input files are found by their names
        self._set("SESSION enable_progress_bar", "false")  # shown by worker processes, which DuckDB takes for a prompt

    def _connect(self, location: Location) -> duckdb.DuckDBPyConnection:
        """Open the database. Where another task of this process is just closing the file, that is awaited."""
        path, settings = str(location.path or ":memory:"), _settings(self._ctx, location)
        for _ in range(_OPENINGS):
            try:
                return self._duckdb.connect(path, config=settings)
            except self._duckdb.ResourceInUseException:
                self._closed.wait(_SECONDS_BETWEEN_OPENINGS)
        return self._duckdb.connect(path, config=settings)

    def interrupt(self) -> None:
        """Stop what runs, and what would run next: an interrupt between two statements is lost on DuckDB."""

        def insist() -> None:
            while not self._closed.is_set():
                self._connection.interrupt()
                self._closed.wait(_SECONDS_BETWEEN_INTERRUPTS)

        with self._beginning:
            if self._interrupting is None and not self._closed.is_set():
                self._interrupting = threading.Thread(target=insist, daemon=True)
                self._interrupting.start()

    def close(self) -> None:
        with self._beginning:
            self._closed.set()
        if self._interrupting is not None:
            self._interrupting.join()
        self._connection.close()

    def set_time_zone(self, name: str) -> None:
        self._set("SESSION TimeZone", name)

    def statements(self, sql: str) -> list[duckdb.Statement]:
        """The statements of a text. Raises TaskFailed when it can't be parsed."""
        with self._failures():
            return self._connection.extract_statements(sql)

    @contextmanager
    def transaction(self, wanted: bool) -> Iterator[None]:
        """One transaction around the block, or one for each statement. Closing the connection rolls back."""
        with self._failures():
            if wanted:
                self._connection.begin()
        yield
        with self._failures():
            if wanted:
                self._connection.commit()

    def run(
        self, statement: duckdb.Statement, values: Mapping[str, object], fetching: FetchType, *, where: str = ""
    ) -> Rows | None:
        """Run a statement and fetch its rows, or None when it has no result set. Raises TaskFailed, Interrupted."""
        self._check_stop()
        with self._failures(where=where):
            self._connection.execute(statement.query, _used(statement, values))
            described = self._described()
            if not _has_rows(statement, described):
                return None
            columns = unique([name for name, _ in described])
            if fetching == "NONE":
                return Rows(columns)
            if fetching == "FETCH_ONE":
                first = self._connection.fetchone()
                found = [] if first is None else [first]
            else:
                found = self._connection.fetchall()
        rows = [dict(zip(columns, map(_plain, row), strict=True)) for row in found]
        return Rows(columns, len(rows), rows)

    def store(
        self, statement: duckdb.Statement, values: Mapping[str, object], target: Path, written_as: StoreFormat, *,
        where: str = "",
    ) -> Rows | None:  # fmt: skip
        """Run a statement and let DuckDB write its rows to a file; None when it has no result set."""
        destination = f"TO {_quoted(str(target))} ({FORMATS[written_as]})"
        if statement.type != self._duckdb.StatementType.SELECT:
            return self._store_other(statement, values, target, destination, where)
        self._check_stop()
        sql, used = without_end(statement.query), _used(statement, values)
        with self._failures("FROM (", where):
            described = self._connection.execute(f"FROM ({sql}\n) LIMIT 0", used).description
        with self._failures("COPY (", where):
            count = self._connection.execute(f"COPY ({sql}\n) {destination}", used).fetchone()
        return Rows([name for name, *_ in described or ()], count[0] if count else 0, file=target)

    def _store_other(
        self, statement: duckdb.Statement, values: Mapping[str, object], target: Path, destination: str, where: str
    ) -> Rows | None:
        """`COPY` takes no `INSERT … RETURNING`, `CALL` or `PIVOT`: their rows come back and go in as columns."""
        self._check_stop()
        with self._failures(where=where):
            self._connection.execute(statement.query, _used(statement, values))
            described = self._described()
            if not _has_rows(statement, described):
                return None
            found = self._connection.fetchall()
            names = unique([name for name, _ in described])
            lists = {f"column_{number}": [row[number] for row in found] for number in range(len(names))}
            kinds = [kind for _, kind in described]
            columns = ", ".join(
                f'unnest(${list_}::{kind}[]) AS "{name.replace(chr(34), 2 * chr(34))}"'
                for list_, kind, name in zip(lists, kinds, names, strict=True)
            )
            self._connection.execute(f"COPY (SELECT {columns}) {destination}", lists)
        return Rows(names, len(found), file=target)

    def _set(self, setting: str, value: str) -> None:
        with self._failures():
            self._connection.execute(f"SET {setting} = {_quoted(value)}")

    def _described(self) -> list[tuple[str, str]]:
        return [(name, str(kind)) for name, kind, *_ in self._connection.description or ()]

    def _check_stop(self) -> None:
        if self._ctx.stop_requested:
            raise Interrupted("the query was stopped")

    @contextmanager
    def _failures(self, prefix: str = "", where: str = "") -> Iterator[None]:
        try:
            yield
        except self._duckdb.InterruptException as reason:
            raise Interrupted("the query was stopped") from reason
        except self._duckdb.Error as reason:
            raise TaskFailed(readable(str(reason), prefix), where=where) from reason


def _settings(ctx: RunContext, location: Location) -> dict[str, str | bool | int | float | list[str]]:
    """How a database is opened. DuckDB asks for the same settings wherever a process opens one file more than once, so
    those that differ between tasks are for databases of one task; others have their temporary files beside them."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "allow_persistent_secrets": False,  # they would be kept in the user's home
        "python_enable_replacements": False,  # SQL must not read the variables of this program
        "async_threads": 0,  # with them DuckDB 2.0 may wait forever when a COPY fails or is interrupted
    }
    if location.path is None or location.path.is_relative_to(ctx.working_dir.resolve()):
        settings["temp_directory"] = str(private_directory(ctx) / "temp")
    settings.update(location.options)
    return settings


def _used(statement: duckdb.Statement, values: Mapping[str, object]) -> dict[str, object]:
    return {name: values[name] for name in statement.named_parameters if name in values}


def _may_have_rows(statement: duckdb.Statement) -> bool:
    return any(kind.name == "QUERY_RESULT" for kind in statement.expected_result_type)


def _has_rows(statement: duckdb.Statement, described: list[tuple[str, str]]) -> bool:
    """Whether what came back is a result set: DuckDB also gives a count of changes, or a word of success."""
    if len(statement.expected_result_type) == 1:
        return _may_have_rows(statement)
    return _may_have_rows(statement) and described not in _NO_ROWS


def _plain(value: Any) -> Any:
    """A value as it can be recorded: UUIDs as text, arrays as lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, UUID) else value


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
