"""`logToFile`: the lines of an attempt in a file of internal storage instead of the record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from core.host.log_files import LOG_FILE, written
from core.host.seam import LogLine, Up
from core.sdk.storage import StoredFile


class LogFile:
    """Takes what an attempt's log tells; the file lies at `path` until it is stored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def tell(self, message: Up) -> None:
        """Called by the log, for each line."""
        if isinstance(message, LogLine):
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("w", encoding="utf-8", errors="backslashreplace")
            self._file.write(written(message))

    def stored(self, put: Callable[[Path, str], StoredFile]) -> str:
        """The URI of the file, once nothing more is told; "" when nothing was."""
        if self._file is None:
            return ""
        self._file.close()
        self._file = None
        return put(self._path, LOG_FILE).uri

    def close(self) -> None:
        """Remove what was not stored."""
        if self._file is not None:
            self._file.close()
        self._path.unlink(missing_ok=True)
