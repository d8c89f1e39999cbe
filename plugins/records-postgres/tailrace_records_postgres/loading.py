"""Fills tables with many rows at once by COPY, as their owner: whole homes, and rows for measurements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from core.records.spans import BLOCK
from tailrace_records_postgres.failures import explained, shown, with_timeout
from tailrace_records_postgres.installation import CONNECT_SECONDS, MIGRATING
from tailrace_records_postgres.marks import storable


class Loader:
    """One transaction in which nobody else reads or writes; no trigger runs and no policy holds."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self.connection = connection
        self._indexes: list[str] = []

    def tables(self) -> list[str]:
        rows = self.connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'tailrace'::regnamespace AND relkind = 'r' ORDER BY 1"
        ).fetchall()
        return [name for (name,) in rows]

    def columns(self, table: str) -> dict[str, str]:
        """Name → type, in their order."""
        rows = self.connection.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum", (f"tailrace.{table}",),
        ).fetchall()  # fmt: skip
        return {str(name): str(kind) for name, kind in rows}

    def count(self, table: str) -> int:
        row = self.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        return int(row[0]) if row else 0

    def rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Add rows; how many there were."""
        number = 0
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                if any(value.__class__ is str and "\0" in value for value in row):
                    row = storable(row)
                copy.write_row(row)
                number += 1
        return number

    def set_aside(self) -> None:
        """Policies, triggers, and indexes that are not of a constraint, until `restore`."""
        for table in self.tables():
            self._alter(table, "NO FORCE ROW LEVEL SECURITY")
            self._alter(table, "DISABLE TRIGGER USER")
        indexes = self.connection.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c"
            " ON c.oid = i.indrelid WHERE c.relnamespace = 'tailrace'::regnamespace AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY 1"
        ).fetchall()
        self._indexes = [definition for _, definition in indexes]  # a tree is built faster than it grows
        for name, _ in indexes:
            self.connection.execute(f"DROP INDEX {name}".encode())

    def restore(self) -> None:
        """What was set aside; new rows come after those that are there."""
        for definition in self._indexes:
            self.connection.execute(definition.encode())
        for table in self.tables():
            self._alter(table, "ENABLE TRIGGER USER")
            name = f"tailrace.{table}"
            if "seq" in self.columns(table):
                place = self.connection.execute("SELECT pg_get_serial_sequence(%s, 'seq')", (name,)).fetchone()
                if place is not None and place[0] is not None:
                    query = sql.SQL("SELECT setval(%s, max(seq)) FROM {} HAVING max(seq) > 0")
                    self.connection.execute(query.format(sql.Identifier(table)), (place[0],))
            self._alter(table, "FORCE ROW LEVEL SECURITY")

    def span(self) -> None:
        """Tell what `time_spans` and `flow_places` would know, had the rows come one by one."""
        self.connection.execute("DELETE FROM time_spans")
        self.connection.execute("DELETE FROM flow_places")
        self.connection.execute(
            "INSERT INTO flow_places SELECT DISTINCT organization_id, namespace, flow_id FROM flow_executions"
        )
        for table, function in (("task_executions", "span_of_tasks"), ("flow_executions", "span_of_executions")):
            blocks = f"min(seq) / {BLOCK}, max(seq) / {BLOCK} - 1"
            self.connection.execute(
                sql.SQL(f"SELECT {{}}(organization_id, {blocks}) FROM {{}} GROUP BY organization_id").format(
                    sql.Identifier(function), sql.Identifier(table)
                )
            )

    def _alter(self, table: str, what: str) -> None:
        self.connection.execute(sql.SQL(f"ALTER TABLE {{}} {what}").format(sql.Identifier(table)))


@contextmanager
def loading(url: str) -> Iterator[Loader]:
    """A loader for the records at the URL of their owner; all or nothing. Raises Unreachable, Conflict, TooLarge."""
    with explained(shown(url)):
        with psycopg.connect(with_timeout(url, CONNECT_SECONDS)) as connection:
            connection.execute("SET LOCAL search_path = tailrace, pg_temp")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
            loader = Loader(connection)
            loader.set_aside()
            yield loader
            loader.restore()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET search_path = tailrace, pg_temp")
            for table in Loader(connection).tables():  # plans are made for the rows that are there now
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
