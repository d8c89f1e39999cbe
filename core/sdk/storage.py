"""Internal storage: files by URI, the contract of storage backends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

from core.errors import Forbidden, Invalid
from core.model.data import data

SCHEMES = ("storage:///", "kestra:///")


@data
class StoredFile:
    """A file in internal storage. size in bytes; sha256 in hex, "" where a backend can't tell without reading."""

    uri: str
    size: int
    sha256: str = ""


class StorageBackend(ABC):
    """Base of storage backends. One backend serves all organizations; none sees another's files.

    Paths are relative, `/`-separated, without `.`, `..`, empty parts or control characters (see `storage_path`).
    Writing is atomic: a file is there whole or not at all. Every method raises Unreachable when the store is not there.
    """

    name: ClassVar[str] = ""

    @abstractmethod
    def put(self, organization: str, path: str, source: Path | BinaryIO, *, move: bool = False) -> StoredFile:
        """Store a file; an existing one is replaced. `move`: a local path may be moved in without a copy."""

    @abstractmethod
    def open(self, organization: str, path: str) -> BinaryIO:
        """The bytes of a file, seekable. Raises NotFound."""

    @abstractmethod
    def stat(self, organization: str, path: str) -> StoredFile:
        """Size of a file. Raises NotFound."""

    @abstractmethod
    def list(self, organization: str, prefix: str = "") -> Iterator[StoredFile]:
        """Files whose path begins with the directory `prefix`, ordered by path."""

    @abstractmethod
    def delete(self, organization: str, path: str) -> bool:
        """Remove one file; False when there was none."""

    @abstractmethod
    def delete_tree(self, organization: str, prefix: str) -> int:
        """Remove every file below a directory; how many there were."""

    def local_path(self, organization: str, path: str) -> Path | None:
        """The file on this machine, to be read only, or None where it has to be fetched. Raises NotFound."""
        return None


def storage_path(uri: str) -> str:
    """`storage:///a/b.csv` (or `kestra:///…`) → `a/b.csv`. Raises Invalid, Forbidden."""
    for scheme in SCHEMES:
        if uri.startswith(scheme):
            return checked_path(uri[len(scheme) :])
    raise Invalid(f"`{uri}` is not a storage URI", expected="storage:///path/of/the/file")


def storage_uri(path: str) -> str:
    """`a/b.csv` → `storage:///a/b.csv`."""
    return SCHEMES[0] + path


def is_storage_uri(text: object) -> bool:
    """Whether a text is a URI of internal storage."""
    return isinstance(text, str) and text.startswith(SCHEMES)


def checked_path(path: str) -> str:
    """The path itself when it stays inside its directory. Raises Forbidden."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or any(ord(sign) < 32 for sign in path):
        raise Forbidden(f"`{path}` is not a path inside the storage", expected="a relative path without `..`")
    return path
