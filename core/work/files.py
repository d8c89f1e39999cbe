"""Internal storage as one attempt may use it, and the rules for what it may read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.errors import Forbidden, Invalid
from core.host.seam import Place
from core.sdk.context import copy_stream
from core.sdk.storage import StorageBackend, StoredFile, checked_path, storage_path, storage_uri


class AttemptFiles:
    """Implements `core.sdk.TaskStorage`. allowed: whether the execution may read a file that is not its own."""

    def __init__(self, backend: StorageBackend, place: Place, allowed: Callable[[str], bool]) -> None:
        self._backend = backend
        self._place = place
        self._allowed = allowed
        self.stored: dict[str, StoredFile] = {}

    def put(self, source: Path | BinaryIO, name: str) -> StoredFile:
        if not self._place.storage_prefix:
            raise Forbidden("files can't be stored from here")
        path = self._free_path(checked_path(name))
        stored = self._backend.put(self._place.organization_id, path, source, move=True)
        self.stored[stored.uri] = stored
        return stored

    def open(self, uri: str) -> BinaryIO:
        return self._backend.open(self._place.organization_id, self._readable(uri))

    def stat(self, uri: str) -> StoredFile:
        return self._backend.stat(self._place.organization_id, self._readable(uri))

    def fetch(self, uri: str, target: Path) -> None:
        path = self._readable(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._backend.open(self._place.organization_id, path) as source, target.open("wb") as copy:
            for chunk in copy_stream(source):
                copy.write(chunk)

    def _free_path(self, name: str) -> str:
        path = f"{self._place.storage_prefix}/{name}"
        number = 2
        while storage_uri(path) in self.stored:
            plain = PurePosixPath(name)
            path = f"{self._place.storage_prefix}/{plain.with_name(f'{plain.stem}-{number}{plain.suffix}')}"
            number += 1
        return path

    def _readable(self, uri: str) -> str:
        path = storage_path(uri)
        own = self._place.execution_prefix
        if (own and path.startswith(own + "/")) or self._allowed(storage_uri(path)):
            return path
        raise Forbidden(
            f"the file `{uri}` does not belong to this execution",
            expected="a file of this execution, or one named in its inputs or in what it read",
        )


def namespace_uri(namespace: str, path: str) -> str:
    """`company.team`, `a/b.sql` → `storage:///company/team/_files/a/b.sql`. Raises Forbidden, Invalid."""
    name = path.removeprefix("/")
    if not name:
        raise Invalid("a namespace file needs a name")
    return storage_uri(f"{namespace.replace('.', '/')}/_files/{checked_path(name)}")
