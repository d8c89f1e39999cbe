"""Internal storage and namespace files, for people."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from core.app.parquet import first_rows
from core.engine.clock import now
from core.errors import Unreachable
from core.host.records import RecordStore
from core.host.views import FilePreview, FileView
from core.sdk.context import copy_stream
from core.sdk.storage import StorageBackend, storage_path
from core.work.files import namespace_uri

PREVIEW_BYTES = 256 * 1024
TEXT_LINES = 40


class FileService:
    """Implements `core.host.services.Files`."""

    def __init__(self, organization: str, records: RecordStore, storage: StorageBackend) -> None:
        self._organization = organization
        self._records = records
        self._storage = storage

    def open(self, uri: str) -> BinaryIO:
        return self._storage.open(self._organization, storage_path(uri))

    def stat(self, uri: str) -> FileView:
        stored = self._storage.stat(self._organization, storage_path(uri))
        return FileView(stored.uri, stored.size, stored.sha256)

    @contextmanager
    def local(self, uri: str) -> Iterator[Path]:
        path = storage_path(uri)
        here = self._storage.local_path(self._organization, path)
        if here is not None:
            yield here
            return
        from tempfile import TemporaryDirectory  # noqa: PLC0415 - only storages elsewhere need copies

        with TemporaryDirectory() as folder:
            copy = Path(folder, "copy").with_suffix(PurePosixPath(path).suffix)
            with self._storage.open(self._organization, path) as source, copy.open("wb") as target:
                for chunk in copy_stream(source):
                    target.write(chunk)
            yield copy

    def list(self, uri: str) -> tuple[FileView, ...]:
        prefix = "" if uri in ("storage:///", "kestra:///", "") else storage_path(uri.rstrip("/"))
        found = self._storage.list(self._organization, prefix)
        return tuple(FileView(file.uri, file.size, file.sha256) for file in found)

    def put(self, source: Path, namespace: str, name: str) -> FileView:
        uri = namespace_uri(namespace, name)
        if not os.path.isfile(source):  # unlike that of Path, it takes any text
            raise Unreachable(f"there is no file `{source}`")
        stored = self._storage.put(self._organization, storage_path(uri), source)
        self._records.save_namespace_file(
            self._organization, namespace, name.removeprefix("/"), uri, stored.size, stored.sha256, now()
        )
        return FileView(uri, stored.size, stored.sha256)

    def preview(self, uri: str, rows: int = 20) -> FilePreview:
        size = self.stat(uri).size
        if PurePosixPath(uri).suffix.lower() == ".parquet":
            return self._parquet(uri, size, rows)
        with self.open(uri) as source:
            head = source.read(PREVIEW_BYTES)
        whole = size <= PREVIEW_BYTES
        try:
            text = head.decode("utf-8")
        except UnicodeDecodeError as error:
            if whole or error.start < len(head) - 4:
                return FilePreview(uri, size, "binary", truncated=True)
            text = head[: error.start].decode("utf-8")
        kind = PurePosixPath(uri).suffix.lower()
        if kind in (".jsonl", ".ndjson", ".ion"):
            return _json_lines(uri, size, text, rows, whole)
        if kind == ".csv":
            return _csv(uri, size, text, rows, whole)
        if kind == ".json" and whole:
            return FilePreview(uri, size, "json", text=text)
        lines = text.splitlines()
        shown = "\n".join(lines[:TEXT_LINES])
        return FilePreview(uri, size, "text", text=shown, truncated=not whole or len(lines) > TEXT_LINES)

    def _parquet(self, uri: str, size: int, rows: int) -> FilePreview:
        with self.open(uri) as source:
            found = first_rows(source, rows)
        if found is None:
            return FilePreview(uri, size, "binary", truncated=True)
        return FilePreview(uri, size, "table", found.columns, found.rows, truncated=found.more)


def _json_lines(uri: str, size: int, text: str, rows: int, whole: bool) -> FilePreview:
    lines = text.removesuffix("\n").split("\n") if whole else text.split("\n")[:-1]
    try:
        parsed = [json.loads(line) for line in lines[:rows] if line.strip()]
    except ValueError:
        return FilePreview(uri, size, "text", text="\n".join(lines[:TEXT_LINES]), truncated=True)
    truncated = not whole or len(lines) > rows
    if not all(isinstance(row, dict) for row in parsed):
        return FilePreview(uri, size, "table", ("value",), tuple((row,) for row in parsed), truncated=truncated)
    columns = tuple(dict.fromkeys(name for row in parsed for name in row))
    cells: tuple[tuple[Any, ...], ...] = tuple(tuple(row.get(name) for name in columns) for row in parsed)
    return FilePreview(uri, size, "table", columns, cells, truncated=truncated)


def _csv(uri: str, size: int, text: str, rows: int, whole: bool) -> FilePreview:
    import csv  # noqa: PLC0415 - few previews are of this kind

    reader = csv.reader(io.StringIO(text if whole else text[: text.rfind("\n") + 1], newline=""))
    try:
        header = next(reader, [])
        shown = [tuple(row) for row in islice(reader, rows + 1)]
    except csv.Error:  # a field longer than Python reads
        return FilePreview(uri, size, "text", text="\n".join(text.splitlines()[:TEXT_LINES]), truncated=True)
    return FilePreview(
        uri, size, "table", tuple(header), tuple(shown[:rows]), truncated=not whole or len(shown) > rows
    )
