"""The tables of the records, out of the migrations and their comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.records.statements import migrations
from docs._generator.markdown import code, joined, table

_CREATE = re.compile(r"CREATE TABLE (\w+) \((.*?)\)(?: WITHOUT ROWID)?;", re.DOTALL)
_ADD = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (.*?);", re.DOTALL)
_COMMENT = re.compile(r"(?:^--.*\n)+", re.MULTILINE)


def page() -> str:
    sources = [path.read_text("utf-8") for _, path in migrations()]
    head, _, first = sources[0].partition("\n\n")
    tables: dict[str, tuple[str, str]] = {}
    for source in (first, *sources[1:]):
        tables |= _created(source)
        for match in _ADD.finditer(source):
            comment, body = tables[match[1]]
            tables[match[1]] = comment, f"{body}, {match[2]}"
    return joined(
        "# Records",
        _prose(head),
        "They lie in `records.db` in the home, a SQLite database in WAL mode, or, where the setting `records` says so, "
        "in the schema `tailrace` of a PostgreSQL database. Read them while Tailrace runs; write to them only through "
        "Tailrace. What kind a column is, is told in SQLite's words.",
        *(part for name, (comment, body) in tables.items() for part in _shown(name, comment, body)),
    )


def _created(source: str) -> dict[str, tuple[str, str]]:
    """The comment before each table of a migration, and what is between its brackets."""
    found, before = {}, 0
    for match in _CREATE.finditer(source):
        comments = _COMMENT.findall(source[before : match.start()])
        before = match.end()
        found[match[1]] = comments[-1] if comments else "", match[2]
    return found


def _shown(name: str, comment: str, body: str) -> Iterator[str]:
    yield f"## {name}"
    if comment:
        yield _prose(comment)
    columns, constraints = _parts(body)
    yield table(["column", "kind"], ((code(name), kind) for name, kind in columns))
    yield from (f"- {constraint}" for constraint in constraints)


def _parts(body: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Columns and constraints of a table."""
    columns, constraints = [], []
    for part in re.split(r",\s*(?![^(]*\))", " ".join(body.split())):
        name, _, kind = part.strip().partition(" ")
        if name in ("UNIQUE", "PRIMARY"):
            constraints.append(f"{name.lower()}{' key' if name == 'PRIMARY' else ''}: "
                               + code(part[part.index("(") + 1 : part.rindex(")")]))  # fmt: skip
        else:
            columns.append((name, kind))
    return columns, constraints


def _prose(comment: str) -> str:
    """The text of a comment, each paragraph in one piece."""
    lines = (line.removeprefix("--").strip() for line in comment.splitlines())
    return "\n".join(lines).strip()
