"""The working directory on its way into a container and back, as a stream of tar entries in constant memory."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from core.sdk import Forbidden

CHUNK = 1 << 20


def pack(directory: Path, *, for_everyone: bool) -> Iterator[bytes]:
    """A directory as a tar stream that unpacks at `/` to the same absolute path; owned by root.

    for_everyone: let every user of the container write, when it does not run as root. It is a copy nobody else sees.
    """
    with tarfile.TarFile(fileobj=io.BytesIO(), mode="w") as headers:
        for path in (directory, *_below(directory)):
            entry = headers.gettarinfo(path, arcname=str(path).lstrip("/"))
            if entry is None:  # a socket, left by a helper of the task; it means nothing in a container
                continue
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if for_everyone and not entry.issym():
                entry.mode |= 0o777 if entry.isdir() else 0o666
            if path == directory:
                entry.mode |= 0o700
            yield entry.tobuf(tarfile.PAX_FORMAT)
            if entry.isreg():
                yield from _content(path, entry.size)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _below(directory: Path) -> Iterator[Path]:
    for folder, directories, files in os.walk(directory):
        for name in sorted(directories) + sorted(files):
            yield Path(folder, name)


def _content(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb") as source:
        while left and (chunk := source.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
    yield b"\0" * (left + -size % tarfile.BLOCKSIZE)


def unpack(chunks: Iterable[bytes], directory: Path) -> list[str]:
    """Replace what is in a directory by what a container's copy of it holds; the names that were left out.

    Everything belongs to the engine's user afterwards, who may read and remove it. Nothing is written outside:
    symbolic links are made last, and those that lead out are left out, as are devices, pipes and sockets.
    """
    clear(directory)
    clear(directory)
    left_out: list[str] = []
    links: list[tuple[Path, str]] = []
    with tarfile.open(fileobj=_Reader(chunks), mode="r|") as archive:
        for entry in archive:
            parts = _parts(entry.name)
            if not parts:
                continue
            target = directory.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            if entry.isdir():
                target.mkdir(exist_ok=True)
            elif entry.isreg():
                _write(archive, entry, target)
            elif entry.islnk():
                os.link(directory.joinpath(*_parts(entry.linkname)), target)
            elif entry.issym():
                links.append((target, entry.linkname))
            else:
                left_out.append("/".join(parts))
    return left_out + _link(directory, links)


def _parts(name: str) -> tuple[str, ...]:
    """The parts of an entry's name below the directory that was packed, which is the first. Raises Forbidden."""
    parts = PurePosixPath(name).parts[1:]
    if ".." in parts:
        raise Forbidden(f"The container engine gave a file named `{name}`, which leads out of the working directory")
    return parts


def _link(directory: Path, links: list[tuple[Path, str]]) -> list[str]:
    """Make symbolic links; the names of those that lead out, which are removed again.

    They are looked at when all are there, since one may lead out by way of another.
    """
    for target, linkname in links:
        target.symlink_to(linkname)
    root = directory.resolve()
    outside = [target for target, _ in links if not Path(os.path.realpath(target)).is_relative_to(root)]
    for target in outside:
        target.unlink()
    return [target.relative_to(directory).as_posix() for target in outside]


def clear(directory: Path) -> None:
    """Remove what is in a directory, and keep the directory."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, target: Path) -> None:
    content = archive.extractfile(entry)
    if content is None:  # not for a regular file
        return
    with content, target.open("xb") as sink:
        shutil.copyfileobj(content, sink, CHUNK)
    target.chmod(entry.mode & 0o755 | 0o600)
    os.utime(target, (entry.mtime, entry.mtime))


class _Reader(io.RawIOBase):
    """Chunks of any size as a file that is read from front to back."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts = [self._rest]
        length = len(self._rest)
        while size < 0 or length < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        size = length if size < 0 else size
        self._rest = data[size:]
        return data[:size]
