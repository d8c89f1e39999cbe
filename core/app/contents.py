"""What is in a file, as a value that can be compared: rows of tables, JSON, or text."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from core.app.parquet import first_rows
from core.errors import Invalid, TooLarge
from core.model.codec import encode

PARQUET_ROWS = 20_000
LINES = (".jsonl", ".ndjson", ".ion")


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
    return [dict(zip(header, row, strict=False)) for row in rows if row]


def _shallow(value: Any) -> Any:
    """The value, when it is no deeper than records may be. Raises TooLarge, Invalid."""
    encode(value)
    return value
