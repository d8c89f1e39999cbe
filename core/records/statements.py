"""The named statements in `sql/`, and the migrations beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"
_FILES = ("statements.sql", "claims.sql", "requests.sql", "product.sql", "overviews.sql")
"""What an engine writes and reads; what it may claim; what tasks ask to be written, and to know of other executions;
what people do, and what they see of many rows at once."""
_MARK = "-- name: "


@lru_cache(maxsize=1)
def statements() -> dict[str, str]:
    """Name → SQL text."""
    text = "\n".join((_FOLDER / name).read_text("utf-8") for name in _FILES)
    parts = (part.partition("\n") for part in text.split(_MARK)[1:])
    return {name.strip(): sql.strip() for name, _, sql in parts}


def migrations() -> tuple[tuple[int, Path], ...]:
    """(version, file) of every migration, oldest first; a file's name begins with its number."""
    numbered = ((path.name.partition("_")[0], path) for path in _FOLDER.iterdir())
    return tuple(sorted((int(number), path) for number, path in numbered if number.isdigit()))


def split(script: str) -> Iterator[str]:
    """The statements of a script; lines that are comments are left out."""
    statement = ""
    for line in script.splitlines():
        if line.lstrip().startswith("--"):
            continue
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
