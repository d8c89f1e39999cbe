"""Questions to files that are tables, by a DuckDB that can read this one file and nothing else, and not for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from tailrace_server.people import counted
from tailrace_server.showing.tables import NUMBERS, Summed
from tailrace_server.showing.trees import visible

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PATIENCE: Final = 5.0
"""Seconds that one question may take."""
AGAIN: Final = 0.05
"""Seconds between two interrupts."""
MEMORY: Final = "512MB"
ROOM: Final = 32_000_000
"""Characters of the rows that are taken at once."""
FIRST_ROWS: Final = 300_000
"""Those that are summed up where all of them take too long."""
FEW: Final = 1000
"""A column of more different values has no most frequent ones that tell anything."""
TOP: Final = 5
TEXT: Final = 60
"""Characters of a value in a summary."""
SQL_TYPES: Final[Mapping[str, str]] = {
    "whole number": "HUGEINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "date and time": "TIMESTAMP",
}  # fmt: skip
"""What a column's text is read as, to be put in order or summed up."""


@frozen
class FileColumn:
    """kind: the language's word for what stands in it. text: SQL of a cell as text; typed: as what it is, NULL where
    it is none."""

    name: str
    kind: str
    text: str
    typed: str


@frozen
class FileTable:
    """How a file is read as a table. source: SQL of its rows, with one parameter, the path. shown: SQL of what is
    fetched of a row."""

    source: str
    columns: tuple[FileColumn, ...]
    shown: str
    note: str = ""


@contextmanager
def reader(path: Path) -> Iterator[DuckDBPyConnection]:
    """A connection that reads this file only."""
    import duckdb  # noqa: PLC0415 - loading it takes longer than most pages

    with duckdb.connect(":memory:", config={"threads": 2, "memory_limit": MEMORY}) as connection:
        connection.execute("SET temp_directory = ''")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET allowed_paths = [{quoted(str(path))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET lock_configuration = true")
        yield connection


@contextmanager
def hurried(connection: DuckDBPyConnection) -> Iterator[None]:
    """Interrupts what takes longer than PATIENCE, again and again: one that comes between two queries, or before a
    query has begun, is lost on DuckDB."""
    over = threading.Event()

    def insist() -> None:
        patience = PATIENCE
        while not over.wait(patience):
            connection.interrupt()
            patience = AGAIN

    watching = threading.Thread(target=insist, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()  # so that none comes to a connection that is closed


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.encode("utf-8", "replace").decode().replace("'", "''") + "'"


def named(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def rows(
    connection: DuckDBPyConnection, path: Path, table: FileTable, first: int, count: int, order: str = ""
) -> tuple[list[tuple[Any, ...]], bool]:
    """Some rows in the file's order, or in that of a column: `name`, `-name`; and whether others follow. Of very large
    ones there are fewer than asked for, at least one. Raises duckdb.Error."""
    column = next((one for one in table.columns if order and one.name == order.removeprefix("-")), None)
    sorting = ""
    if column is not None:
        direction = "DESC" if order.startswith("-") else "ASC"
        sorting = f" ORDER BY {column.typed} {direction} NULLS LAST"
        if column.typed != column.text:
            sorting += f", {column.text} {direction} NULLS LAST"
    with hurried(connection):
        sql = f"SELECT {table.shown} FROM {table.source}{sorting} LIMIT {count + 1} OFFSET {first}"
        found = connection.execute(sql, [str(path)])
        taken: list[tuple[Any, ...]] = []
        left = ROOM  # a small file, packed, can hold far more than there is memory for
        while (row := found.fetchone()) is not None:
            if len(taken) == count or (taken and left <= 0):
                return taken, True
            left -= sum(len(cell) for cell in row if isinstance(cell, (str, bytes)))
            taken.append(row)
    return taken, False


def summed_up(
    connection: DuckDBPyConnection, path: Path, table: FileTable, columns: Sequence[FileColumn]
) -> tuple[Mapping[str, Summed], str]:
    """Each of these columns summed up, and a note where not all rows were. Raises duckdb.Error."""
    import duckdb  # noqa: PLC0415

    first = f"(SELECT * FROM {table.source} LIMIT {FIRST_ROWS})"
    for source, note in ((table.source, ""), (first, f"summed up: the first {counted(FIRST_ROWS)} rows")):
        try:
            return _summed(connection, path, source, columns), note
        except duckdb.InterruptException:
            continue
    return {}, "not summed up, since that takes too long"


def _summed(
    connection: DuckDBPyConnection, path: Path, source: str, columns: Sequence[FileColumn]
) -> Mapping[str, Summed]:
    asked = ["count(*)"]
    for one in columns:
        asked += [
            f"count({one.text})", f"count({one.typed})", f"approx_count_distinct({one.text})",
            f"CAST(min({one.typed}) AS VARCHAR)", f"CAST(max({one.typed}) AS VARCHAR)",
            f"avg({one.typed})" if one.kind in NUMBERS else "NULL", f"approx_top_k({one.text}, {TOP})",
        ]  # fmt: skip
    with hurried(connection):
        found = connection.execute(f"SELECT {', '.join(asked)} FROM {source}", [str(path)]).fetchall()[0]
        parts = {one.name: found[1 + 7 * number : 8 + 7 * number] for number, one in enumerate(columns)}
        top = _top(connection, path, source, columns, parts)
    return {one.name: Summed(_facts(one, found[0], parts[one.name]), top.get(one.name, ())) for one in columns}


def _facts(column: FileColumn, count: int, found: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    there, typed, different, least, most, mean, _ = found
    facts = [("values", counted(there)), ("null", counted(count - there))]
    facts.append(("different", f"≈ {counted(different)}" if different > FEW else counted(different)))
    if column.typed != column.text and typed < there:
        facts.append((f"no {column.kind}", counted(there - typed)))
    if least is not None:
        facts += [("smallest", short(least)), ("largest", short(most))]
    if mean is not None:
        facts.append(("mean", f"{mean:.6g}"))
    return tuple(facts)


def _top(
    connection: DuckDBPyConnection,
    path: Path,
    source: str,
    columns: Sequence[FileColumn],
    parts: Mapping[str, Sequence[Any]],
) -> Mapping[str, tuple[tuple[str, int], ...]]:
    """The most frequent values of those columns where some come often, with how often they come."""
    wanted = [
        (one, value) for one in columns if parts[one.name][2] <= FEW and parts[one.name][2] < parts[one.name][0]
        for value in parts[one.name][6] or ()
    ]  # fmt: skip
    if not wanted:
        return {}
    asked = ", ".join(f"count(*) FILTER ({one.text} = ?)" for one, _ in wanted)
    sql = f"SELECT {asked} FROM {source}"
    counts = connection.execute(sql, [*(value for _, value in wanted), str(path)]).fetchone()
    found: dict[str, list[tuple[str, int]]] = {}
    for (one, value), count in zip(wanted, counts or (), strict=True):
        found.setdefault(one.name, []).append((short(value), count))
    return {name: tuple(sorted(pairs, key=lambda pair: -pair[1])) for name, pairs in found.items()}


def short(text: str) -> str:
    """A value in a summary."""
    return visible(text if len(text) <= TEXT else f"{text[:TEXT]}…")
