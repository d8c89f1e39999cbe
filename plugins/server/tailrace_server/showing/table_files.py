"""Which files are tables, and how: CSV, JSON Lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tailrace_server.people import counted
from tailrace_server.showing.duck import SQL_TYPES, FileColumn, FileTable, hurried, named, quoted
from tailrace_server.showing.links import step
from tailrace_server.showing.tables import COLUMNS, LOOKED_AT, NUMBERS, columns_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CSV: Final = (".csv", ".tsv")
LINES: Final = (".jsonl", ".ndjson", ".ion")
PARQUET: Final = (".parquet",)
NESTED: Final = ("list", "map")
TABLES: Final = (*CSV, *LINES, *PARQUET)
HEAD: Final = 1 << 20
"""Bytes at the beginning of a file that decide how it is read."""
LINE: Final = 16 << 20
"""Bytes of a line at most."""
WIDEST: Final = 4000
"""Columns of a file that is read as a table: of more of them DuckDB takes long to be told."""
LINE_ITSELF: Final = "line"
NO_TEXT: Final = "\x01"
"""A sign that no text of JSON holds."""
_LONG_LINES: Final = f"max_line_size = {LINE}, buffer_size = {LINE}"
_OLDER: Final = {"utf-8": (), "latin-1": ("it is not UTF-8, and read as Latin-1",)}
_PATTERNS: Final = (
    ("whole number", re.compile(r"[-+]?(0|[1-9]\d{0,30})")),
    ("number", re.compile(r"[-+]?((0|[1-9]\d{0,300})(\.\d{0,300})?|\.\d{1,300})([eE][-+]?\d{1,3})?")),
    ("boolean", re.compile(r"true|false", re.IGNORECASE)),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("date and time", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[-+]\d\d:?\d\d)?")),
)


class TooWide(Exception):
    """A file with more columns than a table has room for."""


def ways_to_read(connection: DuckDBPyConnection, path: Path) -> Iterator[FileTable]:
    """How a file may be read, the likeliest way first; nothing for a file without any row. Raises duckdb.Error,
    TooWide."""
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        yield _parquet(connection, path)
        return
    head = _head(path)
    if not head.strip():
        return
    for encoding in ("utf-8", "latin-1"):
        text = head.decode(encoding, "replace").removeprefix("\ufeff")
        yield from _csv(text, suffix, encoding) if suffix in CSV else _lines(text, encoding)


def _head(path: Path) -> bytes:
    """The whole lines that begin in the first bytes of a file."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        return head + file.readline(LINE) if len(head) == HEAD else head


# -- CSV


def _csv(head: str, suffix: str, encoding: str) -> Iterator[FileTable]:
    """Strictly by the rules; then as far as they are kept; then with quotes that nobody closes as plain signs."""
    sign = _separator(head, suffix)
    for quote, strict in (('"', True), ('"', False), ("", False)):
        columns = _csv_columns(head, sign, quote)
        fields = ", ".join(f"{quoted(one.name)}: 'VARCHAR'" for one in columns)
        options = [
            "auto_detect = false", "header = true", f"columns = {{{fields}}}", f"delim = {quoted(sign)}",
            f"quote = {quoted(quote)}", f"escape = {quoted(quote)}", f"encoding = '{encoding}'",
            *([_LONG_LINES] if encoding == "utf-8" else ()),
            *(() if strict else ("strict_mode = false", "null_padding = true", "parallel = false")),
        ]  # fmt: skip
        notes = [*(() if quote else ("its quotes are not closed, and stand here as they are",)), *_OLDER[encoding]]
        shown = ", ".join(one.text for one in columns[:COLUMNS])
        yield FileTable(f"read_csv(?, {', '.join(options)})", columns, shown, "; ".join(notes))


def _separator(head: str, suffix: str) -> str:
    """The sign that stands between the names of the columns."""
    if suffix == ".tsv":
        return "\t"
    first = re.sub(r'"[^"]*"', "", head.split("\n", 1)[0])
    return max(",;\t|", key=first.count)


def _csv_columns(head: str, sign: str, quote: str) -> tuple[FileColumn, ...]:
    rows: list[list[str]] = []
    options: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    try:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=sign, **options)
        rows.extend(row for row in islice(reader, LOOKED_AT + 1) if row)
    except csv.Error:  # a field that Python finds too long; what came before it tells enough
        pass
    width = max(map(len, rows), default=1)
    if width > WIDEST:
        raise TooWide(f"it has more than {counted(WIDEST)} columns")
    heads = rows[0] if rows else []
    columns = []
    for number, name in enumerate(_distinct([*heads, *[""] * (width - len(heads))])):
        kind = _kind_of([row[number] for row in rows[1:] if number < len(row)])
        columns.append(_column(name, kind, named(name)))
    return tuple(columns)


def _distinct(names: Sequence[str]) -> list[str]:
    """Names as a table needs them: none empty, none twice, not even in other letters."""
    found: dict[str, str] = {}
    tried: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        wanted = name.replace("\0", "\ufffd").strip() or f"column {number}"
        unique, again = wanted, tried.get(wanted, 2)
        while unique.lower() in found:
            unique, again = f"{wanted} ({again})", again + 1
        found[unique.lower()] = unique
        tried[wanted] = again
    return list(found.values())


def _kind_of(texts: Sequence[str]) -> str:
    """What all texts of a column write, the empty ones left aside."""
    there = [text for text in texts if text]
    for kind, pattern in _PATTERNS:
        if there and all(len(text) < 400 and pattern.fullmatch(text) for text in there):
            return kind
    return "text"


def _column(name: str, kind: str, text: str) -> FileColumn:
    sql_type = SQL_TYPES.get(kind)
    return FileColumn(name, kind, text, f"TRY_CAST({text} AS {sql_type})" if sql_type else text)


# -- JSON Lines


def _lines(head: str, encoding: str) -> Iterator[FileTable]:
    """Each line by itself, so that one that is broken harms no other."""
    rows = [parsed(line) for line in islice((line for line in head.split("\n") if line.strip()), LOOKED_AT)]
    if not any(isinstance(row, (Mapping, list, int, float)) for row in rows):
        return
    known = columns_of(rows)
    columns = [_column(name, kind, f"cells[{number}]") for number, (name, kind) in enumerate(known, 1)]
    paths = ", ".join(quoted(step("", name)) for name, _ in known[:COLUMNS])
    if not all(isinstance(row, Mapping) for row in rows):
        name = "value"
        while any(one.name == name for one in columns):
            name = f"other {name}"
        columns.append(_column(name, "mixed", LINE_ITSELF))
    long = f", {_LONG_LINES}" if encoding == "utf-8" else ""
    source = (
        f"(SELECT line, CASE WHEN json_valid(line) THEN json_extract_string(line, [{paths}]::VARCHAR[]) END AS cells "
        "FROM read_csv(?, auto_detect = false, header = false, columns = {'line': 'VARCHAR'}, "
        f"delim = '{NO_TEXT}', quote = '', escape = '', strict_mode = false, encoding = '{encoding}'{long}) "
        "WHERE trim(line) <> '')"
    )
    yield FileTable(source, tuple(columns), "line", "; ".join(_OLDER[encoding]))


def parsed(line: str) -> Any:
    """What a line holds; the line itself where that is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line


def cells_of(row: Sequence[Any], columns: Sequence[FileColumn], suffix: str) -> list[Any]:
    """The cells of a row as it was fetched. Of a line: what is no map stands in the column for these."""
    if suffix not in LINES:
        return [parsed(cell) if one.kind in NESTED and cell else cell for cell, one in zip(row, columns, strict=True)]
    found = parsed(row[0])
    if isinstance(found, Mapping):
        return [None if one.text == LINE_ITSELF else found.get(one.name) for one in columns]
    return [found if one.text == LINE_ITSELF else None for one in columns]


# -- Parquet


def _parquet(connection: DuckDBPyConnection, path: Path) -> FileTable:
    source = "read_parquet(?)"
    with hurried(connection):
        found = connection.execute(f"DESCRIBE SELECT * FROM {source}", [str(path)]).fetchall()
    if len(found) > WIDEST:
        raise TooWide(f"it has more than {counted(WIDEST)} columns")
    columns, shown = [], []
    for name, sql_type, *_ in found:
        kind, cell = _word(sql_type), named(name)
        text = f"CAST({cell} AS VARCHAR)"
        columns.append(FileColumn(name, kind, text, cell if kind in SQL_TYPES or kind == "text" else text))
        if kind in NESTED:
            shown.append(f"CAST(to_json({cell}) AS VARCHAR)")
        else:  # times are told by DuckDB: Python does not know all of them
            shown.append(cell if kind in ("text", "bytes", "boolean", *NUMBERS) else text)
    return FileTable(source, tuple(columns), ", ".join(shown[:COLUMNS]))


def _word(sql_type: str) -> str:
    """The language's word for a type of DuckDB."""
    plain = sql_type.partition("(")[0]
    if sql_type.endswith("]"):
        return "list"
    if plain in ("STRUCT", "MAP"):
        return "map"
    if plain.endswith(("INT", "INTEGER")):
        return "whole number"
    known = {
        "DOUBLE": "number", "FLOAT": "number", "DECIMAL": "number", "BOOLEAN": "boolean", "DATE": "date",
        "VARCHAR": "text", "BLOB": "bytes", "TIME": "time", "INTERVAL": "duration",
    }  # fmt: skip
    return "date and time" if plain.startswith("TIMESTAMP") else known.get(plain, plain.strip('"').lower())
