"""What is in files, as values that can be compared: rows of tables, JSON, or text."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO, StringIO
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from core.app.csv_types import typed_rows
from core.app.parquet import first_rows
from core.errors import Invalid, TooLarge
from core.model.codec import encode

PARQUET_ROWS = 20_000
LINES = (".jsonl", ".ndjson", ".ion")


def contents_of(first: tuple[str, BinaryIO], second: tuple[str, BinaryIO]) -> tuple[Any, Any] | None:
    """Two files, each by its name and what it holds; None where one can't be compared. Cells of CSV are values where
    the types of a column agree, else texts, as they are for themselves."""
    both = (first, second)
    if all(PurePosixPath(name).suffix.lower() == ".csv" for name, _ in both):
        texts = [source.read() for _, source in both]
        with suppress(UnicodeDecodeError):
            typed = typed_rows(*(text.decode("utf-8-sig") for text in texts))
            if typed is not None:
                return typed
        both = ((first[0], BytesIO(texts[0])), (second[0], BytesIO(texts[1])))
    found = [content_of(name, source) for name, source in both]
    return None if any(one is None for one in found) else (found[0], found[1])


def content_of(name: str, source: BinaryIO) -> Any:
    """By the suffix of the file's name; None for what is no text, and for a table that is too long or can't be read."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".parquet":
        found = first_rows(source, PARQUET_ROWS)
        whole = found is not None and not found.more
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows] if found and whole else None
    try:
        text = source.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    try:
        if suffix == ".csv":
            return _csv(text)
        if suffix == ".json":
            return _shallow(json.loads(text))
        if suffix in LINES:
            return _shallow([json.loads(line) for line in text.splitlines() if line.strip()])
    except (ValueError, csv.Error, RecursionError, Invalid, TooLarge):  # not what its name says: a text
        return text
    return text


def _csv(text: str) -> list[dict[str, str]]:
    rows = csv.reader(StringIO(text, newline=""))
    header = next(rows, [])
    found = [row for row in rows if row]
    names = _names(header, max(map(len, found), default=0))
    return [dict(zip(names, row, strict=False)) for row in found]


def _names(header: Sequence[str], width: int) -> list[str]:
    """A name for each column, another one for each: no cell is to be left out."""
    names: dict[str, None] = {}
    for number in range(max(len(header), width)):
        name = header[number] if number < len(header) else f"#{number + 1}"
        while name in names:
            name = f"{name}#{number + 1}"
        names[name] = None
    return list(names)


def _shallow(value: Any) -> Any:
    """The value, when it is no deeper than records may be. Raises TooLarge, Invalid."""
    encode(value)
    return value
