"""The tables of the records, out of the first migration and its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

from docs._generator.markdown import code, joined, table

_CREATE = re.compile(r"CREATE TABLE (\w+) \((.*?)\)(?: WITHOUT ROWID)?;", re.DOTALL)
_COMMENT = re.compile(r"(?:^--.*\n)+", re.MULTILINE)


def page() -> str:
    source = (files("core.records") / "sql" / "0001_initial.sql").read_text("utf-8")
    head, _, body = source.partition("\n\n")
    return joined(
        "# Records",
        _prose(head),
        "They lie in `records.db` in the home, a SQLite database in WAL mode. Read it while Tailrace runs; write to it "
        "only through Tailrace.",
        *_tables(body),
    )


def _tables(source: str) -> Iterator[str]:
    before = 0
    for match in _CREATE.finditer(source):
        comments = _COMMENT.findall(source[before : match.start()])
        before = match.end()
        yield f"## {match[1]}"
        if comments:
            yield _prose(comments[-1])
        columns, constraints = _parts(match[2])
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
