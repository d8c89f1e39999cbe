"""Operating-system locks on files: held by a process, gone with it."""

from __future__ import annotations

import os
import sys
from errno import EBADF
from pathlib import Path
from types import TracebackType

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int, wait: bool) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _is_free(handle: int) -> bool:
        if not _lock(handle, wait=False):
            return False
        _unlock(handle)
        return True

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int, wait: bool) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _is_free(handle: int) -> bool:
        # Shared, so that two who look at the same time don't take each other for the holder.
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


class FileLock:
    """An exclusive lock; waiting for it queues in the kernel. Use as a context manager, or `try_hold`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)

    def try_hold(self) -> bool:
        """Take the lock if nobody has it."""
        return _lock(self._handle, wait=False)

    def __enter__(self) -> FileLock:
        if self._handle < 0:
            raise OSError(EBADF, "the file is closed")
        _lock(self._handle, wait=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _unlock(self._handle)

    def close(self) -> None:
        """Give the lock and the file back; once is enough."""
        handle, self._handle = self._handle, -1  # its number may soon be that of another file
        if handle >= 0:
            os.close(handle)


def is_held(path: Path) -> bool:
    """Whether some living process holds the lock on a file."""
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return False
    try:
        return not _is_free(handle)
    finally:
        os.close(handle)
