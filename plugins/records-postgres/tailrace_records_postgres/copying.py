"""Moves a whole home from SQLite: every table, with the `seq` that its rows have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from core.records import SqliteRecords
from core.records.locks import is_held
from core.sdk import Conflict, Invalid
from tailrace_records_postgres.loading import Loader, loading

CHUNK = 5000
LEFT = frozenset({"schema_version", "engines"})
"""Tables that are about one database, or the processes that use it."""
INDEXED = {"summary_values": {"path": 600, "text": 600}}
"""Columns of side tables that are cut to what an index can hold, as the store itself does."""


def copy_home(home: Path, url: str) -> Mapping[str, int]:
    """Rows by table. Files stay in the storage that they are in.

    url: of the owner of records that are empty. Raises Conflict (an engine works in the home, the records are not
    empty), Invalid (no home), Unreachable, TooLarge.
    """
    file = home / "records.db"
    if not file.is_file():
        raise Invalid(f"there is no home at {home}", expected="a directory with a records.db")
    with loading(url) as load:
        _refuse_rows(load, url)
        SqliteRecords(home, durable=False, now=_now(load)).close()  # its tables are of this version then
        source = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        with closing(source):
            _refuse_engines(source, home)
            source.execute("BEGIN")
            load.connection.execute("DELETE FROM organizations")
            return {table: _copy(source, load, table) for table in load.tables() if table not in LEFT}


def _refuse_rows(load: Loader, url: str) -> None:
    for table in load.tables():
        if table != "schema_version" and load.count(table) > (1 if table == "organizations" else 0):
            raise Conflict(
                f"the records have rows already, in {table}", hint="copy into records that `records init` has just made"
            )


def _refuse_engines(source: sqlite3.Connection, home: Path) -> None:
    for (engine,) in source.execute("SELECT id FROM engines"):
        if is_held(home / "engines" / f"{engine}.lock"):
            raise Conflict(f"an engine works in {home}", hint="stop it, so that nothing is written there any more")


def _now(load: Loader) -> int:
    row = load.connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchone()
    return int(row[0]) if row else 0


def _copy(source: sqlite3.Connection, load: Loader, table: str) -> int:
    kinds = load.columns(table)
    columns = list(kinds)
    chosen, origin = ", ".join(f"t.{name}" for name in columns), f"{table} t"
    if table == "inbox":  # a message belongs to the organization of its execution
        chosen = chosen.replace("t.organization_id", "e.organization_id")
        origin += " JOIN flow_executions e ON e.id = t.flow_execution_id"
    truths = [place for place, name in enumerate(columns) if kinds[name] == "boolean"]
    cuts = [(columns.index(name), size) for name, size in INDEXED.get(table, {}).items()]
    rows = source.execute(f"SELECT {chosen} FROM {origin}")
    copied = load.rows(table, columns, _changed(rows, truths, cuts))
    (expected,) = source.execute(f"SELECT count(*) FROM {origin}").fetchone()
    if not copied == expected == load.count(table):
        raise Conflict(f"{table} has {expected} rows, and {load.count(table)} arrived; nothing was kept")
    return copied


def _changed(
    rows: sqlite3.Cursor, truths: list[int], cuts: list[tuple[int, int]]
) -> Iterator[tuple[Any, ...] | list[Any]]:
    """Rows as the columns of PostgreSQL take them."""
    while chunk := rows.fetchmany(CHUNK):
        if not truths and not cuts:
            yield from chunk
            continue
        for row in map(list, chunk):
            for place in truths:
                row[place] = None if row[place] is None else bool(row[place])
            for place, size in cuts:
                row[place] = row[place] and row[place][:size]
            yield row
