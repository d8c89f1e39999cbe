"""Whole lists as streams: a page at a time, so that any number of rows takes the same memory."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO, StringIO
from typing import Any

from core.host.services import Services
from core.host.views import OutputFilter, TaskExecutionView
from tailrace_server.errors import Refused
from tailrace_server.media import CSV, NDJSON, PARQUET
from tailrace_server.outputs import rows
from tailrace_server.plain import json_bytes

ROWS = 500
"""Rows that are read at once."""
ROOM = 4 * 1024 * 1024
"""Bytes of outputs that are held at once."""

Row = dict[str, Any]
Batches = Iterator[list[Row]]
NUMBERS = ("flow_revision", "output_size", "version")
TIMES = ("created_at", "updated_at")


def export(
    services: Services, which: OutputFilter, organization: str, names: Sequence[str], media: str
) -> Iterator[bytes]:
    """All rows of a filter from where it starts, in its order, in the form of a media type.

    The first piece is there before anything is answered, so that a wrong filter has its status. Raises Refused (406)
    for Parquet where its library is missing.
    """
    write = WRITERS[media]
    pieces = write(_batches(services, which, organization, names), names)
    first = next(pieces, b"")

    def stream() -> Iterator[bytes]:
        yield first
        yield from pieces

    return stream()


def _batches(services: Services, which: OutputFilter, organization: str, names: Sequence[str]) -> Batches:
    after = which.starting_after
    while True:
        page = services.outputs.list(OutputFilter(**{**vars(which), "limit": ROWS, "starting_after": after}))
        for group in _groups(page.data) if "output" in names else [page.data]:
            yield list(rows(services, group, organization, names, sys.maxsize))
        if page.next is None:
            return
        after = page.next


def _groups(views: Iterable[TaskExecutionView]) -> Iterator[list[TaskExecutionView]]:
    """Runs of rows whose outputs together have room in memory."""
    group: list[TaskExecutionView] = []
    size = 0
    for view in views:
        size += view.output_size or 0
        if group and size > ROOM:
            yield group
            group, size = [], view.output_size or 0
        group.append(view)
    yield group


def _ndjson(batches: Batches, names: Sequence[str]) -> Iterator[bytes]:
    for batch in batches:
        yield b"".join(json_bytes(row) + b"\n" for row in batch)


def _csv(batches: Batches, names: Sequence[str]) -> Iterator[bytes]:
    """Lists and maps are JSON in their cell, as texts of an output are; nothing is an empty cell."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for batch in batches:
        writer.writerows([_cell(name, row[name]) for name in names] for row in batch)
        yield text.getvalue().encode("utf-8", "replace")
        text.seek(0)
        text.truncate()


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    return json_bytes(value).decode() if name in ("summary", "output", "tags") else value


def _parquet(batches: Batches, names: Sequence[str]) -> Iterator[bytes]:
    """One row group for each batch; lists and maps are JSON in a column of texts."""
    try:
        pyarrow = import_module("pyarrow")  # an extra that only this form needs; it brings no types
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        message = f"this server has no library for {PARQUET}: its operator can install tailrace-server[parquet]"
        raise Refused(406, message, details=[("header.Accept", f"expected: {NDJSON} or {CSV}")]) from None
    kinds = {name: pyarrow.int64() for name in NUMBERS} | {name: pyarrow.timestamp("us", "UTC") for name in TIMES}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in names])
    sink = BytesIO()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            columns = [[_typed(name, row[name]) for row in batch] for name in names]
            writer.write_batch(pyarrow.record_batch(columns, schema=schema))
            yield _drained(sink)
    yield _drained(sink)


def _typed(name: str, value: Any) -> Any:
    if value is None or name in NUMBERS:
        return value
    if name in TIMES:
        return datetime.fromisoformat(value).astimezone(UTC)
    return json_bytes(value).decode() if name in ("summary", "output", "tags") else value


def _drained(sink: BytesIO) -> bytes:
    """What was written since the last time."""
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


WRITERS: Mapping[str, Callable[[Batches, Sequence[str]], Iterator[bytes]]] = {
    NDJSON: _ndjson, CSV: _csv, PARQUET: _parquet,
}  # fmt: skip
