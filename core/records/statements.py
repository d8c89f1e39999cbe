"""The named statements of `sql/statements.sql`, and the migrations beside it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"
_MARK = "-- name: "


@lru_cache(maxsize=1)
def statements() -> dict[str, str]:
    """Name → SQL text."""
    text = (_FOLDER / "statements.sql").read_text("utf-8")
    parts = (part.partition("\n") for part in text.split(_MARK)[1:])
    return {name.strip(): sql.strip() for name, _, sql in parts}


def migrations() -> tuple[tuple[int, Path], ...]:
    """(version, file) of every migration, oldest first; a file's name begins with its number."""
    numbered = ((path.name.partition("_")[0], path) for path in _FOLDER.iterdir())
    return tuple(sorted((int(number), path) for number, path in numbered if number.isdigit()))
