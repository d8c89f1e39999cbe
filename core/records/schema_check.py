"""Whether records have the tables that this version makes: those of an unreleased one may say the same version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.errors import Conflict
from core.records.statements import migrations, split


def refuse_foreign(path: Path) -> None:
    """Raises Conflict when the tables are others than the migrations make; for when something has gone wrong."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as found:
            version = int(found.execute("PRAGMA user_version").fetchone()[0])
            there = _made(found)
    except sqlite3.Error:
        return
    with closing(sqlite3.connect(":memory:")) as expected:
        for number, script in migrations():
            if number <= version:
                for statement in split(script.read_text("utf-8")):
                    expected.execute(statement)
        wanted = _made(expected)
    if version and not wanted <= there:
        raise Conflict(
            f"the records have version {version} of the tables, but not as this version of Tailrace makes them: "
            "a version that was never released has written them",
            where=str(path),
            hint="move them away, or give another home with --home DIR",
        )


def _made(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """(name, columns or text) of what migrations make; what SQLite keeps for itself and comments are left aside."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    found = set()
    for kind, name, sql in rows:
        if kind == "table" and name.startswith("sqlite_"):
            continue
        if kind == "table":
            sql = 'SELECT name, type, "notnull" FROM pragma_table_info(?) ORDER BY name'
            found.add((name, repr(connection.execute(sql, (name,)).fetchall())))
        else:
            found.add((name, " ".join(sql.split())))
    return frozenset(found)
