"""The cache of a shared directory: files that one execution leaves there and the next one finds.

One archive in internal storage for each task (and each value of a loop), where the reference keeps it; the moment it
was made stands in the archive itself, since a storage backend keeps none.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from shutil import copyfileobj
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from core.errors import Forbidden, NotFound
from core.host.seam import Place
from core.model.digest import digest
from core.sdk.context import Log
from core.sdk.files import collect_files, inside
from core.sdk.storage import StorageBackend

_MICROSECOND = timedelta(microseconds=1)
_PERMISSIONS = 0o777
_BROKEN = (BadZipFile, ValueError, EOFError, NotImplementedError, zlib.error)
"""What an archive that was cut off, or is none, makes of being read."""


def cache_path(place: Place, loop_value: str | None) -> str:
    """Where in internal storage a task's cache lies (reference, section 6.6)."""
    own = "" if loop_value is None else f"/{digest(loop_value.encode())}"
    return f"{place.namespace.replace('.', '/')}/{place.flow_id}/{place.task_name.lower()}/cache{own}/cache.zip"


class DirectoryCache:
    """patterns: which files are kept. ttl: how long after they were stored they are found, None for ever.

    now: microseconds since 1970 UTC.
    """

    def __init__(
        self, backend: StorageBackend, organization: str, path: str, patterns: Sequence[str], ttl: timedelta | None,
        now: Callable[[], int], log: Log,
    ) -> None:  # fmt: skip
        self._backend = backend
        self._organization = organization
        self._path = path
        self._patterns = patterns
        self._ttl = ttl
        self._now = now
        self._log = log
        self._found = False
        self._before: dict[str, tuple[int, int]] = {}

    def restore(self, directory: Path) -> None:
        """Put what was kept into a directory. An archive that can't be read is as good as none."""
        written: list[Path] = []
        try:
            with self._backend.open(self._organization, self._path) as stream, ZipFile(stream) as archive:
                if self._expired(int(archive.comment)):
                    self._log.debug("The cache has expired")
                    return
                for entry in archive.infolist():
                    target = inside(directory, entry.filename)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    written.append(target)
                    with archive.open(entry) as source, target.open("wb") as copy:
                        copyfileobj(source, copy)
                    target.chmod(entry.external_attr >> 16 & _PERMISSIONS)
        except NotFound:
            self._log.debug("There is no cache yet")
        except _BROKEN as error:
            for target in written:
                target.unlink()
            self._log.warn(f"The cache can't be read and is made anew: {error}")
        else:
            self._found = True
            self._log.debug(f"{len(written)} files were taken from the cache")

    def remember(self, directory: Path) -> None:
        """What lies in the directory now is no reason to make the archive anew."""
        if self._found:
            self._before = self._state(directory)

    def save(self, directory: Path) -> None:
        """Keep the files that match, unless they are as they were."""
        state = self._state(directory)
        if not state or state == self._before:
            return
        made = directory.with_name(f"{directory.name}.cache.zip")
        try:
            with ZipFile(made, "w", ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as archive:
                archive.comment = str(self._now()).encode()
                for name in state:
                    archive.write(directory / name, name)
            self._backend.put(self._organization, self._path, made, move=True)
        finally:
            made.unlink(missing_ok=True)
        self._log.debug(f"{len(state)} files were kept in the cache")

    def _expired(self, stored_at: int) -> bool:
        return self._ttl is not None and self._now() >= stored_at + self._ttl // _MICROSECOND

    def _state(self, directory: Path) -> dict[str, tuple[int, int]]:
        """Size and time of change by name; what a link brings in from outside the directory is left out."""
        found = {}
        for name in collect_files(directory, self._patterns):
            try:
                about = inside(directory, name).stat()
            except Forbidden:
                self._log.warn(f"`{name}` is not kept in the cache: it leads out of the directory")
                continue
            found[name] = (about.st_size, about.st_mtime_ns)
        return found
