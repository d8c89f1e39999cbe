"""Files that come with a request: written down as they come, within limits, and gone with the request."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from time import monotonic
from typing import Any

from attrs import frozen
from litestar import Request

from core.sdk import Unreachable
from tailrace_server.errors import Refused
from tailrace_server.options import KIB, MIB
from tailrace_server.people import size

GRACE_SECONDS, SLOWEST = 60.0, 4 * KIB
"""A body may be waited for so long, and a second more for each so many bytes of it."""
BLOCK = MIB
"""Bytes that are written at once."""
KEPT_FREE, KEPT_PART = 1024 * MIB, 20
"""So many bytes of a disk, or one part of so many where that is less, are left free: others need room there as well."""
LONGEST_NAME = 200
"""Bytes of the name that a file keeps; of a longer one the end."""


@frozen
class Upload:
    """A file that came with a request. name: as its sender calls it, without folders; path: where it is under this name
    until the request is answered."""

    name: str
    path: Path


@asynccontextmanager
async def own_folder() -> AsyncIterator[Path]:
    """A folder that nobody else can look into, until the block ends."""
    folder = mkdtemp()
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        yield Path(folder)
    finally:
        try:
            await asyncio.to_thread(remove)
        except RuntimeError:  # the server ends, and its threads have ended before us
            remove()


async def pieces(request: Request[Any, Any, Any], most: int) -> AsyncIterator[bytes]:
    """A body as it comes. most: bytes. Raises Refused for one that is larger (413), or comes very slowly (408).

    Only what the client keeps us waiting for counts, not what we do with it between two pieces.
    """
    if (request.content_length or 0) > most:
        raise too_large("the body", most)
    received, waited = 0, 0.0
    stream = request.stream()
    while True:
        begun = monotonic()
        piece = await anext(stream, b"")
        waited += monotonic() - begun
        received += len(piece)
        if received > most:
            raise too_large("the body", most)
        if waited > GRACE_SECONDS + received / SLOWEST:
            raise Refused(408, "the body comes too slowly")
        if not piece:
            return
        yield piece


def too_large(what: str, most: int) -> Refused:
    """For more bytes than there may be."""
    return Refused(413, f"{what} may have {size(most)}")


class Writing:
    """A new file while it is written. Nothing of it blocks the event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._held: list[bytes] = []
        self._bytes = 0

    async def write(self, piece: bytes) -> None:
        """Some of it. Raises Unreachable when there is no room left."""
        self._held.append(piece)
        self._bytes += len(piece)
        if self._bytes >= BLOCK:
            await asyncio.to_thread(self._store)

    async def end(self) -> None:
        """All of it was written."""
        if self._held:
            await asyncio.to_thread(self._store)
        self.close()

    def close(self) -> None:
        """Nothing more is written, whether it is whole or not."""
        self._file.close()

    def _store(self) -> None:
        block = b"".join(self._held)
        self._held, self._bytes = [], 0
        folder = self.path.parent
        disk = shutil.disk_usage(folder)
        if disk.free - len(block) < min(KEPT_FREE, disk.total // KEPT_PART):
            raise Unreachable("there is no room left for files that are sent", where=str(folder))
        try:
            left = memoryview(block)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise Unreachable(f"a file that is sent can't be kept: {error.strerror}", where=str(folder)) from error


def file_name(given: str) -> str:
    """The name of a file, without the folders that some senders tell, and without control characters."""
    name = PurePosixPath(re.sub(r"[\0-\x1f\x7f]", "_", given).replace("\\", "/")).name
    while len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        name = name[len(name) // 8 :]  # its end tells what kind of file it is
    return name if name not in ("", ".", "..") else "file"
