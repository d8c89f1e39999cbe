"""The named statements: those of the core, with the words of PostgreSQL where these differ, and how to look across."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from core.records import core_statements
from tailrace_records_postgres.marks import numbered

FOLDER = Path(__file__).parent / "sql"
_MARK = "-- name: "
_WORDS = (
    (r"INSERT OR IGNORE (INTO .*)", r"INSERT \1 ON CONFLICT DO NOTHING"),
    (r" INDEXED BY \w+", ""),
    (r"\b(WHERE|AND|OR) \+(?=\w)", r"\1 "),
    (r"FROM \(SELECT 1\) ", "FROM (SELECT 1) AS one "),
    # A path of loop values can be too long for an index: there it stands as `place` gives it.
    (r"(ON CONFLICT \([^)]*)\bpath_json\b", r"\1place(path_json)"),
    (r"((?:\w+\.)?path_json) = (\$\d+)", r"place(\1) = place(\2) AND \1 = \2"),
    (r"((?:\w+\.)?path_json) >= (\$\d+)\s+AND \1 < (\$\d+)",
     r"\g<0> AND (place(\1) >= \2 AND place(\1) < \3 OR octet_length(\1) >= 1000)"),
)  # fmt: skip
"""What is written another way, by numbered marks."""


class Across(NamedTuple):
    """A statement of the core that looks at all organizations, as a function: types of its values, what it gives."""

    takes: str
    gives: str


ACROSS = {
    "owners": Across("", "engine_id TEXT"),
    "left_by": Across("TEXT, BIGINT, BIGINT", "organization_id TEXT, id TEXT"),
    "with_messages": Across("BIGINT, BIGINT, BIGINT", "organization_id TEXT, id TEXT"),
    "come_due": Across("BIGINT, BIGINT", "organization_id TEXT, id TEXT"),
    "organizations": Across("", "id TEXT, name TEXT, created_at BIGINT"),
    "api_key": Across(
        "TEXT", "id TEXT, organization_id TEXT, name TEXT, role TEXT, created_at BIGINT, expires_at BIGINT, "
        "revoked_at BIGINT, last_used_at BIGINT",
    ),
    "has_api_keys": Across("", "found INTEGER"),
    "session": Across(
        "TEXT", "id TEXT, organization_id TEXT, name TEXT, role TEXT, created_at BIGINT, expires_at BIGINT, "
        "revoked_at BIGINT, last_used_at BIGINT, session_expires_at BIGINT",
    ),
}  # fmt: skip


@lru_cache(maxsize=1)
def own_statements() -> dict[str, str]:
    """Name → SQL text, of those that are PostgreSQL's."""
    parts = (part.partition("\n") for part in (FOLDER / "statements.sql").read_text("utf-8").split(_MARK)[1:])
    return {name.strip(): sql.strip() for name, _, sql in parts}


@lru_cache(maxsize=2048)
def translated(sql: str) -> str:
    """A statement of the core in words of PostgreSQL, with numbered marks."""
    text = numbered(re.sub(r"--[^\n]*", "", sql)).strip()
    for ours, theirs in _WORDS:
        text = re.sub(ours, theirs, text, flags=re.DOTALL)
    return text


@lru_cache(maxsize=1)
def statements() -> dict[str, str]:
    """Name → SQL text with numbered marks, of all."""
    own = {name: numbered(sql) for name, sql in own_statements().items()}
    return {**{name: translated(sql) for name, sql in core_statements().items() if name not in own}, **own}


@lru_cache(maxsize=1)
def migrations() -> tuple[tuple[int, Path], ...]:
    """(version, file) of every migration, oldest first."""
    numbered = ((path.name.partition("_")[0], path) for path in FOLDER.iterdir())
    return tuple(sorted((int(number), path) for number, path in numbered if number.isdigit()))
