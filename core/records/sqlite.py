"""One SQLite file shared by many processes: connections, the write lock, migrations."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from core.errors import Conflict, Unreachable
from core.records.database import cases
from core.records.locks import FileLock
from core.records.statements import migrations, split, statements

BUSY_MILLISECONDS = 30_000
PAGE_BYTES = 2048
"""A commit touches about twenty pages of as many trees; small ones make it a third cheaper."""
TIDY_CHANGES = 10_000
"""Rows changed since the last `tidy` that make another one worth while: about 40 MB of log, in which a page that is
copied once was changed again and again."""
LOG_BYTES = 64 * 1024 * 1024
"""The log is begun anew once it is larger: writers wait for that moment."""
CHECKPOINT_PAGES = 2 * LOG_BYTES // PAGE_BYTES
"""A commit that finds the log this long copies it itself: for processes that never `tidy`."""


class SqliteDatabase:
    """A home's `records.db`, as `core.records.database.Database` says.

    Writes are `BEGIN IMMEDIATE` under `records.lock`; reads use a connection of their own.

    now: microseconds since 1970 UTC, for the schema's own rows. durable: sync every commit to disk.
    Raises Unreachable when the file can't be opened, is damaged or its disk is full.
    """

    merges = True

    def __init__(self, home: Path, *, durable: bool, now: int) -> None:
        self.path = home / "records.db"
        self._sql = statements()
        self._explained = explained(self.path)
        with self._explained:
            self._file_lock = FileLock(home / "records.lock")
            fresh = not self.path.exists()
            with self._file_lock:  # a new file is changed by opening it, and SQLite waits for nobody then
                self._writer = self._connect(durable)
                self._reader = self._connect(durable)
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._tidying = threading.Lock()
        self._seen = -1
        self._durable = durable
        self._keeper: sqlite3.Connection | None = None
        self._tidied = 0
        if fresh or self._version() < migrations()[-1][0]:
            self._migrate(now)
        if self._version() > migrations()[-1][0]:
            raise Conflict(
                "the records were written by a newer version", where=str(self.path), hint="upgrade this installation"
            )

    def _connect(self, durable: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_MILLISECONDS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        return connection

    def _version(self) -> int:
        with self._reading:
            return int(self._reader.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self, now: int) -> None:
        with self.writing():
            current = int(self._writer.execute("PRAGMA user_version").fetchone()[0])
            for version, path in migrations():
                if version > current:
                    for statement in split(path.read_text("utf-8")):
                        self._writer.execute(statement)
                    self._writer.execute("INSERT INTO schema_version VALUES (?, ?)", (version, now))
                    self._writer.execute(f"PRAGMA user_version = {version}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One write transaction; rolled back when the block raises."""
        with self._writing, self._explained, self._file_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite itself rolls back when the disk is full
                    self._writer.execute("ROLLBACK")
                raise

    def write(self, name: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        """Run a named statement inside `writing()`."""
        try:
            return self._writer.execute(self._sql[name], values)
        except UnicodeEncodeError:
            return self._writer.execute(self._sql[name], _storable(values))

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run a statement put together from names of ours inside `writing()`; savepoints too."""
        return self._writer.execute(sql, values)

    def read(self, name: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a named query."""
        return self.select(self._sql[name], values)

    def select(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query that was put together from fragments of ours (never from a user's text)."""
        with self._reading, self._explained:
            return self._asked(sql, values).fetchall()

    def read_maps(self, name: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """All rows of a named query, by column name."""
        return self.select_maps(self._sql[name], values)

    def select_maps(self, sql: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """As `select`, by column name."""
        with self._reading, self._explained:
            cursor = self._asked(sql, values)
            names = [column[0] for column in cursor.description]
            return [self._row(zip(names, row, strict=True)) for row in cursor]

    def _asked(self, sql: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            return self._reader.execute(sql, values)
        except UnicodeEncodeError:
            return self._reader.execute(sql, _storable(values))

    def any_case(self, text: str) -> tuple[str, str]:
        """By GLOB: LIKE knows the cases of ASCII alone, and a function of ours would wait for other threads."""
        return "{} GLOB ?", f"*{''.join(map(_globbed, text))}*"

    @cached_property
    def _row(self) -> type[dict[str, Any]]:
        """A row by column name; a column that is not there is a reason to look at the whole schema."""
        path = self.path

        class Row(dict[str, Any]):
            def __missing__(self, name: str) -> Any:
                _refuse_foreign(path)
                raise KeyError(name)

        return Row

    def changed(self) -> bool:
        """Whether another connection has written since the last call."""
        with self._writing, self._explained:
            seen = int(self._writer.execute("PRAGMA data_version").fetchone()[0])
            before, self._seen = self._seen, seen
        return before != seen

    def forget_seen(self) -> None:
        """Let `changed` say so once, whoever wrote: this connection's own commits don't move its `data_version`."""
        with self._writing:
            self._seen = -1

    def tidy(self) -> None:
        """Copy what was committed from the log into the database, while others go on writing.

        SQLite would do it inside a commit, and wait there for the disk: a fifth of the time of a chain of small tasks.
        """
        with self._tidying, self._explained:
            changes = self._writer.total_changes
            if changes - self._tidied < TIDY_CHANGES:
                return
            self._tidied = changes
            if self._keeper is None:
                self._keeper = self._connect(self._durable)
                self._keeper.execute("PRAGMA busy_timeout = 0")  # a reader that holds it up: the next time will do
            self._keeper.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if self.path.with_name(f"{self.path.name}-wal").stat().st_size > LOG_BYTES:
                with self._writing, self._file_lock:
                    self._keeper.execute("PRAGMA wal_checkpoint(RESTART)")

    def close(self) -> None:
        """Give connections and files back. Whoever is in the middle of something comes to its end; what others ask for
        later is Unreachable."""
        with self._tidying, self._writing, self._reading:  # closed in the middle of a statement SQLite ends the process
            if self._keeper is not None:
                self._keeper.close()
            self._reader.close()
            self._writer.close()
            self._file_lock.close()


def _storable(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Half a surrogate pair can't be stored as text; outside the codec's texts it becomes U+FFFD."""
    return tuple(_whole(value) for value in values)


def _whole(value: Any) -> Any:
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


def _globbed(letter: str) -> str:
    found = cases(letter)
    return f"[{found}]" if len(found) > 1 or letter in "*?[" else letter


def _refuse_foreign(path: Path) -> None:
    from core.records.schema_check import refuse_foreign  # noqa: PLC0415 - something has gone wrong

    refuse_foreign(path)


class explained:
    """What goes wrong with a file inside the block, in words for people. To be used many times.

    Raises Unreachable, and Conflict for tables that this version does not know.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.DatabaseError):
            _refuse_foreign(self._path)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError):
            full = "full" in str(error)
            raise Unreachable(
                "the records can't be written: the disk is full" if full else f"the records can't be used: {error}",
                where=str(self._path),
                hint="free some space; nothing that was recorded is lost"
                if full
                else "see that the file may be read and written, and lies on a local disk",
            ) from error
        if isinstance(error, OSError):
            raise Unreachable(
                f"the records can't be opened: {(error.strerror or str(error)).lower()}",
                where=str(self._path),
                hint="give another home with --home DIR",
            ) from error
