"""Lines of files in internal storage, one after another asked for by number."""

from __future__ import annotations

from threading import Lock

from core.errors import NotFound
from core.host.seam import FileLine
from core.sdk.storage import StorageBackend, storage_path


class FileLines:
    """Keeps the lines of the file that was read last: its next line is mostly asked for soon."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._file: tuple[str, str] | None = None
        self._lines: list[bytes] = []

    def read(self, storage: StorageBackend, organization: str, wanted: FileLine) -> str:
        """Raises NotFound when there is no such file or line."""
        with self._lock:
            if self._file != (organization, wanted.uri):
                with storage.open(organization, storage_path(wanted.uri)) as file:
                    self._lines = file.read().split(b"\n")
                self._file = (organization, wanted.uri)
            if wanted.number >= len(self._lines):
                raise NotFound(f"`{wanted.uri}` has no line {wanted.number}")
            return self._lines[wanted.number].decode("utf-8")
