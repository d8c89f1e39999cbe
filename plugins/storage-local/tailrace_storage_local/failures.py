"""What the operating system says, in words that tell what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.sdk import Conflict, Invalid, NotFound, TailraceError, TooLarge, Unreachable
from core.sdk.storage import storage_uri

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY}


@contextmanager
def readable_errors(root: Path, path: str) -> Iterator[None]:
    """Give failures of the operating system as errors of ours."""
    try:
        yield
    except OSError as reason:
        raise _readable(reason, root, storage_uri(path)) from reason


def _readable(reason: OSError, root: Path, uri: str) -> TailraceError:
    if reason.errno in _FULL:
        return Unreachable(f"no space left in the internal storage at `{root}`", hint="make room there, or move it")
    if reason.errno in _REFUSED:
        return Unreachable(
            f"the internal storage at `{root}` can't be used: {_words(reason)}", hint="let this user read and write it"
        )
    if reason.errno == errno.ENOENT:
        return NotFound(f"there is no file `{uri}`")
    if reason.errno in _IN_THE_WAY and root.is_dir():
        return Conflict(f"`{uri}` can't be stored: a file or a directory of another path is in its way")
    if reason.errno == errno.ENAMETOOLONG:
        return Invalid(f"`{uri}` has a name that is too long for the file system")
    if reason.errno == errno.EFBIG:
        return TooLarge(f"`{uri}` is larger than a file may be here")
    return Unreachable(f"the internal storage at `{root}` failed: {_words(reason)}")


def _words(reason: OSError) -> str:
    return (reason.strerror or "unknown").lower()
