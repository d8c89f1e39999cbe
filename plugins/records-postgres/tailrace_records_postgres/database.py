"""One PostgreSQL database, as `core.records.Database` says: a pool of connections, transactions, who they are about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from time import sleep
from typing import Any, TypeVar

import psycopg
from psycopg import Connection, OperationalError
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool

from core.records.database import cases
from core.sdk import Conflict, Unreachable
from tailrace_records_postgres.failures import NothingWritten, explained, in_words, lost, shown, with_timeout
from tailrace_records_postgres.line import Line, Result
from tailrace_records_postgres.listener import Listener
from tailrace_records_postgres.statements import migrations, statements, translated

Row = tuple[Any, ...]
T = TypeVar("T")
EVERYBODY = "*"
"""What a transaction is about that is about no organization: engines, the schema."""
MAX_CONNECTIONS = 16
CONNECT_SECONDS = 10
STALE_CONNECTIONS = MAX_CONNECTIONS + 1
"""How many connections of the pool may turn out to be lost, after the server was started anew, before we give up."""
SETTLE_TRIES = 50

ABOUT = "SELECT set_config('tailrace.organization', ?, true)"
LOCK = "SELECT pg_advisory_xact_lock(7241, hashtext(?))"
"""Held until the commit is visible to all: rows of an organization get their `seq` in the order of commits."""
NUMBER = "SELECT pg_current_xact_id()::text"

GATHERED = {"insert_log": "insert_logs", "insert_metric": "insert_metrics"}
"""What comes in large numbers, and how many rows are inserted at once."""


class PipedConnection(Connection[TupleRow]):
    """A connection of the pool with its line."""

    line: Line

    def close(self) -> None:
        if hasattr(self, "line"):
            self.line.close()
        super().close()


class _Here(local):
    """What the calling thread is doing. organizations: whom it is about. line: of its transaction."""

    organizations: tuple[str, ...] = ()
    line: Line | None = None


class PostgresDatabase:
    """A database in which `records init` has made the tables.

    writer: marks the commits of this store, so that it is not woken by its own.
    Raises Unreachable when it can't be used, Conflict when its tables are of another version, Invalid for a wrong URL.
    """

    merges = False

    def __init__(self, url: str, writer: str) -> None:
        self.explained = explained(shown(url))
        self._url = with_timeout(url, CONNECT_SECONDS)
        self._writer = writer
        self._sql = statements()
        self._here = _Here()
        with self.explained:
            self._check_version()
        logger = logging.getLogger("psycopg.pool")
        if not logger.handlers:  # our errors say what it would print
            logger.addHandler(logging.NullHandler())
        self._pool: ConnectionPool[PipedConnection] = ConnectionPool(
            self._url, connection_class=PipedConnection, kwargs={"autocommit": True}, configure=self._prepare,
            min_size=1, max_size=MAX_CONNECTIONS, timeout=CONNECT_SECONDS, num_workers=1, open=True,
        )  # fmt: skip
        self._listener = Listener(self._url, writer)

    def _check_version(self) -> None:
        with psycopg.connect(self._url) as connection:
            connection.execute("SELECT set_config('tailrace.organization', %s, true)", (EVERYBODY,))
            row = connection.execute("SELECT max(version) FROM tailrace.schema_version").fetchone()
        found, known = (row[0] or 0) if row else 0, migrations()[-1][0]
        where = self.explained.where
        if found > known:
            raise Conflict(
                "the records were written by a newer version", where=where, hint="upgrade this installation"
            )
        if found < known:
            raise Conflict("the records are of an older version", where=where, hint="upgrade them: `records migrate`")

    def _prepare(self, connection: PipedConnection) -> None:
        connection.adapters.register_dumper(int, Int8Dumper)  # one plan for a statement, not one for each size
        connection.execute(
            "SELECT set_config('search_path', 'tailrace, pg_temp', false), set_config('tailrace.writer', %s, false),"
            " set_config('random_page_cost', '1.1', false)",  # pages of indexes lie in memory, or on a disk that seeks
            (self._writer,),
        )
        connection.line = Line(connection)

    # -- whom it is about

    @contextmanager
    def about(self, *organizations: str) -> Iterator[None]:
        """What the block does is about these; a transaction begins about the first one."""
        before, self._here.organizations = self._here.organizations, organizations
        try:
            yield
        finally:
            self._here.organizations = before

    def turn_to(self, organization: str) -> None:
        """Inside `writing()`: go on about one of those that it is about; a savepoint that is undone undoes this too."""
        if self._here.line is not None and len(self._here.organizations) > 1:
            self._here.line.send(ABOUT, (organization,))

    # -- writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, the only one of its organizations at its time; rolled back when the block raises.

        Nothing of it is sent before something of it is asked for. Raises NothingWritten when the connection is lost
        and the block may be run again.
        """
        with self.explained:
            connection = self._pool.getconn()
            try:
                number = self._begin(connection.line)
                yield
                self._commit(connection.line, str((number.fetchone() or ("",))[0]))
            except psycopg.Error as error:
                connection.close()
                if lost(error):
                    raise NothingWritten(str(in_words(error, "")), where=self.explained.where) from error
                raise
            except BaseException:
                self._undo(connection)
                raise
            finally:
                self._here.line = None
                self._pool.putconn(connection)

    def _begin(self, line: Line) -> Result:
        """Begin a transaction that holds the locks of all it is about; its number."""
        organizations = self._here.organizations or (EVERYBODY,)
        line.send("BEGIN")
        for organization in sorted(set(organizations)):  # in one order, or two would wait for each other
            line.send(LOCK, (organization,))
        line.send(ABOUT, (organizations[0],))
        self._here.line = line
        return line.send(NUMBER)

    def _undo(self, connection: PipedConnection) -> None:
        try:
            connection.line.send("ROLLBACK")
            connection.line.sync()
        except psycopg.Error:
            connection.close()

    def _commit(self, line: Line, number: str) -> None:
        self._here.line = None
        try:
            line.send("COMMIT")  # it is passed over when something that was sent before it failed
            line.sync()
        except OperationalError as error:
            if not lost(error) or not self._was_committed(number, error):
                raise

    def _was_committed(self, number: str, error: Exception) -> bool:
        """What became of a transaction whose commit was not answered: the database remembers."""
        for _ in range(SETTLE_TRIES):
            try:
                status = self.select("SELECT pg_xact_status(?::xid8)", (number,))[0][0]
            except Unreachable:
                break
            if status in ("committed", "aborted"):
                return bool(status == "committed")
            sleep(0.1)
        raise Unreachable(
            "the connection was lost during a commit, and it is not known whether it was written",
            where=self.explained.where, hint="look whether it was before it is repeated",
        ) from error  # fmt: skip

    def write(self, name: str, values: Row) -> Result:
        """Run a named statement inside `writing()`."""
        line = self._in_transaction()
        if name in GATHERED:
            return line.gather(self._sql[name], self._sql[GATHERED[name]], values)
        return line.send(self._sql[name], values)

    def execute(self, sql: str, values: Row = ()) -> Result:
        """Run a statement put together from names of ours inside `writing()`; savepoints too."""
        return self._in_transaction().send(translated(sql), values)

    def _in_transaction(self) -> Line:
        if self._here.line is None:
            raise psycopg.ProgrammingError("a statement that writes was run outside of `writing()`")
        return self._here.line

    # -- reading

    def read(self, name: str, values: Row = ()) -> list[Row]:
        """All rows of a named query; inside `writing()` with what it wrote."""
        return self._ask(self._sql[name], values, keep=True)[1]

    def select(self, sql: str, values: Row = ()) -> list[Row]:
        """All rows of a query that was put together."""
        return self._ask(translated(sql), values, keep=False)[1]

    def read_maps(self, name: str, values: Row = ()) -> list[dict[str, Any]]:
        """All rows of a named query, by column name."""
        return _as_maps(*self._ask(self._sql[name], values, keep=True))

    def select_maps(self, sql: str, values: Row = ()) -> list[dict[str, Any]]:
        """As `select`, by column name."""
        return _as_maps(*self._ask(translated(sql), values, keep=False))

    def _ask(self, sql: str, values: Row, *, keep: bool) -> tuple[list[str], list[Row]]:
        """Names of columns, and rows; in a transaction of its own unless there is one."""
        line = self._here.line
        if line is not None:
            result = line.send(sql, values, keep=keep)
            return result.names, result.fetchall()
        organization = self._here.organizations[0] if self._here.organizations else ""

        def ask(line: Line) -> tuple[list[str], list[Row]]:
            line.send(ABOUT, (organization,))  # what is sent until the answer is waited for is one transaction
            result = line.send(sql, values, keep=keep)
            line.sync()
            return result.names, result.fetchall()

        with self.explained:
            return self._on_a_line(ask)

    def _on_a_line(self, use: Callable[[Line], T]) -> T:
        """What `use` makes of a connection of the pool; those that were lost meanwhile are passed over."""
        for left in range(STALE_CONNECTIONS, 0, -1):
            connection = self._pool.getconn()
            try:
                return use(connection.line)
            except OperationalError as error:
                connection.close()
                if not lost(error) or left == 1:
                    raise
            except BaseException:
                connection.close()
                raise
            finally:
                self._pool.putconn(connection)
        raise OperationalError("every connection was lost")

    # -- others

    def any_case(self, text: str) -> tuple[str, str]:
        """By a pattern that names the cases of each letter: what ILIKE knows of them depends on the database."""
        return "{} ~ ?", "".join(map(_pattern, text))

    def changed(self) -> bool:
        """Whether others have sent a message or ended an execution since the last call."""
        return self._listener.changed()

    def forget_seen(self) -> None:
        """Let `changed` say so once, whoever wrote."""
        self._listener.say_changed()

    def tidy(self) -> None:
        """Nothing: the server does it (autovacuum)."""

    def close(self) -> None:
        """Give connections back."""
        self._listener.close()
        self._pool.close()


def _pattern(letter: str) -> str:
    found = cases(letter)
    if len(found) > 1:
        return f"[{found}]"
    return letter if letter.isalnum() or not letter.isascii() else f"\\{letter}"


def _as_maps(names: list[str], rows: list[Row]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]
