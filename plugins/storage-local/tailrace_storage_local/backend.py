"""Files at `<root>/<organization>/<path>`; what is being written lies in `<root>/.incoming`."""

from __future__ import annotations

import builtins
import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from core.sdk import Forbidden, Invalid, NotFound, Unreachable
from core.sdk.context import copy_stream
from core.sdk.storage import StorageBackend, StoredFile, checked_path, storage_uri
from tailrace_storage_local.failures import readable_errors

INCOMING = ".incoming"
ATTEMPTS = 100
"""How often a file is renamed into a directory that a concurrent delete keeps taking away."""

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def create(root: Path, durable: bool) -> LocalStorage:
    """The backend for a root directory, which is made when the first file is stored."""
    return LocalStorage(root, durable)


class LocalStorage(StorageBackend):
    """Storage below one directory.

    durable: files and directories are synced before `put` returns, so they survive a loss of power. Otherwise they
    survive the end of any process.
    """

    name = "local"

    def __init__(self, root: Path, durable: bool) -> None:
        self._root = Path(os.path.realpath(root))
        self._durable = durable
        self._numbers = itertools.count()

    def put(self, organization: str, path: str, source: Path | BinaryIO, *, move: bool = False) -> StoredFile:
        target = self._target(organization, path)
        with readable_errors(self._root, path):
            if not isinstance(source, Path):
                size, digest = self._write(source, target)
                return StoredFile(storage_uri(path), size, digest)
            with _opened_source(source) as stream:
                taken = self._take(source, stream, target) if move else None
                size, digest = taken or self._write(stream, target)
            if move:
                with suppress(OSError):  # stored all the same when the source lies where nothing can be removed
                    source.unlink(missing_ok=True)
        return StoredFile(storage_uri(path), size, digest)

    def open(self, organization: str, path: str) -> BinaryIO:
        target = self._existing(organization, path)
        with readable_errors(self._root, path):
            return os.fdopen(os.open(target, os.O_RDONLY | _NO_FOLLOW), "rb")

    def stat(self, organization: str, path: str) -> StoredFile:
        target = self._existing(organization, path)
        with readable_errors(self._root, path):
            return StoredFile(storage_uri(path), target.stat().st_size)

    def list(self, organization: str, prefix: str = "") -> Iterator[StoredFile]:
        return self._files(self._directory(organization, prefix), f"{prefix}/" if prefix else "")

    def delete(self, organization: str, path: str) -> bool:
        target = self._target(organization, path)
        with readable_errors(self._root, path):
            if not target.is_file():
                return False
            try:
                target.unlink()
            except FileNotFoundError:
                return False
            self._prune(target.parent)
        return True

    def delete_tree(self, organization: str, prefix: str) -> int:
        top = self._directory(organization, prefix)
        with readable_errors(self._root, prefix):
            return sum(self._delete_directory(Path(folder)) for folder, _, _ in os.walk(top, topdown=False))

    def local_path(self, organization: str, path: str) -> Path:
        return self._existing(organization, path)

    def _target(self, organization: str, path: str) -> Path:
        """Where a file lies or would lie. Raises Forbidden for what leads out, symbolic links included."""
        if "/" in checked_path(organization) or organization.startswith("."):
            raise Forbidden(f"`{organization}` is not the name of an organization", expected="one name, no path")
        target = self._root / organization / checked_path(path)
        with readable_errors(self._root, path):
            if os.path.realpath(target) != str(target):
                raise Forbidden(
                    f"`{storage_uri(path)}` leads through a symbolic link",
                    expected="files and directories that the storage made itself",
                )
        return target

    def _directory(self, organization: str, prefix: str) -> Path:
        return self._target(organization, prefix) if prefix else self._target(organization, "-").parent

    def _existing(self, organization: str, path: str) -> Path:
        target = self._target(organization, path)
        with readable_errors(self._root, path):
            if not target.is_file():
                raise NotFound(f"there is no file `{storage_uri(path)}`")
        return target

    def _take(self, source: Path, stream: BufferedReader, target: Path) -> tuple[int, str] | None:
        """Rename a file into the storage, or None where it has to be copied: it lies on another file system, or it
        has another name through which what is stored could be changed."""
        self._incoming()
        facts = os.fstat(stream.fileno())
        if facts.st_nlink > 1 or facts.st_dev != self._root.stat().st_dev:
            return None
        import hashlib  # noqa: PLC0415 # loads OpenSSL: only once there is a file

        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if self._durable:
            os.fsync(stream.fileno())
        try:
            self._rename(source, target)
        except OSError as reason:
            if reason.errno not in (errno.EXDEV, errno.EACCES, errno.EPERM):
                raise
            stream.seek(0)
            return None
        return facts.st_size, digest

    def _write(self, source: BinaryIO, target: Path) -> tuple[int, str]:
        """Copy a stream in one pass: the file appears under its name when it is whole."""
        temporary, descriptor = self._temporary()
        try:
            import hashlib  # noqa: PLC0415 # as above

            size, digest = 0, hashlib.sha256()
            with os.fdopen(descriptor, "wb") as sink:
                for chunk in copy_stream(source):
                    sink.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                if self._durable:
                    sink.flush()
                    os.fsync(sink.fileno())
            self._rename(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return size, digest.hexdigest()

    def _incoming(self) -> Path:
        incoming = self._root / INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        return incoming

    def _temporary(self) -> tuple[Path, int]:
        incoming = self._incoming()
        for number in self._numbers:
            path = incoming / f"{os.getpid()}-{number}"
            with suppress(FileExistsError):  # another engine's, or left by one that was killed
                return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o666)
        raise AssertionError("counting never ends")

    def _rename(self, source: Path, target: Path) -> None:
        for attempt in itertools.count(1):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, target)
                break
            except (FileNotFoundError, FileExistsError):  # a directory was removed while it was being made or used
                if attempt == ATTEMPTS:
                    raise
        if self._durable:
            for directory in target.parents:
                _sync_directory(directory)
                if directory == self._root:
                    break

    def _files(self, directory: Path, prefix: str) -> Iterator[StoredFile]:
        for entry in self._entries(directory, prefix):
            with readable_errors(self._root, prefix + entry.name):
                is_directory = entry.is_dir(follow_symlinks=False)
                try:
                    facts = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # deleted since
                    continue
            if is_directory:
                yield from self._files(directory / entry.name, f"{prefix}{entry.name}/")
            elif stat.S_ISREG(facts.st_mode):
                yield StoredFile(storage_uri(prefix + entry.name), facts.st_size)

    def _entries(self, directory: Path, prefix: str) -> builtins.list[os.DirEntry[str]]:
        """What lies in a directory, in the order of the paths below it."""
        with readable_errors(self._root, prefix):
            try:
                with os.scandir(directory) as entries:
                    return sorted(entries, key=lambda entry: entry.name + "/" * entry.is_dir(follow_symlinks=False))
            except (FileNotFoundError, NotADirectoryError):
                return []

    def _delete_directory(self, directory: Path) -> int:
        """Remove a directory's files, then the directory; one that got new files meanwhile stays."""
        deleted = 0
        for entry in self._entries(directory, ""):
            if not entry.is_dir(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    os.unlink(entry.path)
                    deleted += entry.is_file(follow_symlinks=False)
        self._prune(directory)
        return deleted

    def _prune(self, directory: Path) -> None:
        """Remove a directory and its parents as far as they are empty, below the organization's."""
        while len(directory.relative_to(self._root).parts) > 1:
            try:
                directory.rmdir()
            except FileNotFoundError:
                pass
            except OSError:  # not empty
                return
            directory = directory.parent


def _opened_source(source: Path) -> BufferedReader:
    """A local file, opened. Raises Forbidden for a link, so that a flow can't have a file stored that isn't its own."""
    try:
        facts = source.lstat()
        if stat.S_ISLNK(facts.st_mode):
            raise Forbidden(f"`{source.name}` is a symbolic link and is not stored", expected="a file")
        if not stat.S_ISREG(facts.st_mode):
            raise Invalid(f"`{source.name}` is not a file that can be stored", expected="a regular file")
        return os.fdopen(os.open(source, os.O_RDONLY | _NO_FOLLOW), "rb")
    except FileNotFoundError as reason:
        raise NotFound(f"there is no file `{source.name}` to store") from reason
    except PermissionError as reason:
        raise Unreachable(f"`{source.name}` can't be read and is not stored", hint="let this user read it") from reason


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
