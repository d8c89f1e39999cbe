"""What every storage backend keeps to. Inherit, and give a backend:

    class TestMine(StorageContract):
        def make(self, directory: Path) -> StorageBackend:
            return MyStorage(directory)
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from core.errors import Forbidden, NotFound, TailraceError
from core.sdk.storage import StorageBackend, StoredFile

ACME = "acme"
OTHER = "other"
LEADING_OUT = (
    "", ".", "..", "../up.txt", "a/../../up.txt", "a/..", "/etc/passwd", "a//b", "a/./b", "a/",
    "a\\..\\b", "a\nb", "a\0b",
)  # fmt: skip

UNUSUAL = ("a b.txt", "ünï/çødé.csv", "100%.txt", "a?b#c.txt", "~", "-rf", ".hidden", "a'b\"c")


class _Broken(io.RawIOBase):
    """A source that ends with an error after some bytes."""

    def __init__(self) -> None:
        self._chunks = iter([b"first part", b"second part"])

    def read(self, size: int = -1) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise ConnectionResetError("the sender went away")


def _stream(data: bytes) -> BinaryIO:
    return io.BytesIO(data)


def _uris(files: list[StoredFile]) -> list[str]:
    return [file.uri for file in files]


class StorageContract:
    """Inherit in a class whose name begins with `Test`, and override `make`."""

    def make(self, directory: Path) -> StorageBackend:
        """An empty backend; what it needs on this machine may lie in the directory. Called twice, the same files."""
        raise NotImplementedError

    @pytest.fixture
    def storage(self, tmp_path: Path) -> StorageBackend:
        return self.make(tmp_path / "storage")

    def read(self, storage: StorageBackend, path: str, organization: str = ACME) -> bytes:
        with storage.open(organization, path) as stream:
            return stream.read()

    def test_it_has_a_name(self, storage: StorageBackend) -> None:
        assert storage.name

    def test_what_was_put_is_read_back(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a.txt", _stream(b"hello"))
        assert self.read(storage, "a.txt") == b"hello"

    def test_put_gives_uri_size_and_sha256(self, storage: StorageBackend) -> None:
        stored = storage.put(ACME, "dir/a.txt", _stream(b"hello"))
        assert stored == StoredFile("storage:///dir/a.txt", 5, hashlib.sha256(b"hello").hexdigest())

    def test_an_empty_file_is_a_file(self, storage: StorageBackend) -> None:
        stored = storage.put(ACME, "empty", _stream(b""))
        assert (stored.size, self.read(storage, "empty")) == (0, b"")

    def test_every_byte_is_kept(self, storage: StorageBackend) -> None:
        data = bytes(range(256)) + b"\r\n\n\r\x1a"
        storage.put(ACME, "bytes", _stream(data))
        assert self.read(storage, "bytes") == data

    def test_a_file_of_several_chunks_is_kept(self, storage: StorageBackend) -> None:
        data = bytes(range(251)) * 20_000
        stored = storage.put(ACME, "large", _stream(data))
        assert (stored.size, stored.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert self.read(storage, "large") == data

    def test_putting_again_replaces(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a.txt", _stream(b"a long first text"))
        storage.put(ACME, "a.txt", _stream(b"second"))
        assert self.read(storage, "a.txt") == b"second"
        assert storage.stat(ACME, "a.txt").size == 6

    @pytest.mark.parametrize("path", UNUSUAL)
    def test_unusual_names_are_kept(self, storage: StorageBackend, path: str) -> None:
        stored = storage.put(ACME, path, _stream(b"x"))
        assert stored.uri == f"storage:///{path}"
        assert self.read(storage, path) == b"x"
        assert _uris(list(storage.list(ACME))) == [stored.uri]

    def test_a_deep_path_is_kept(self, storage: StorageBackend) -> None:
        path = "/".join(f"level-{number}" for number in range(30)) + "/file.txt"
        storage.put(ACME, path, _stream(b"deep"))
        assert self.read(storage, path) == b"deep"

    def test_a_local_path_is_copied_and_stays(self, storage: StorageBackend, tmp_path: Path) -> None:
        source = tmp_path / "source.txt"
        source.write_bytes(b"from a path")
        stored = storage.put(ACME, "a.txt", source)
        source.write_bytes(b"changed afterwards")
        assert stored.sha256 == hashlib.sha256(b"from a path").hexdigest()
        assert self.read(storage, "a.txt") == b"from a path"

    def test_a_moved_path_is_gone_afterwards(self, storage: StorageBackend, tmp_path: Path) -> None:
        source = tmp_path / "source.txt"
        source.write_bytes(b"to be moved")
        stored = storage.put(ACME, "dir/a.txt", source, move=True)
        assert stored == StoredFile("storage:///dir/a.txt", 11, hashlib.sha256(b"to be moved").hexdigest())
        assert self.read(storage, "dir/a.txt") == b"to be moved"
        assert not source.exists()

    def test_a_moved_path_replaces(self, storage: StorageBackend, tmp_path: Path) -> None:
        source = tmp_path / "source.txt"
        source.write_bytes(b"new")
        storage.put(ACME, "a.txt", _stream(b"old text"))
        storage.put(ACME, "a.txt", source, move=True)
        assert self.read(storage, "a.txt") == b"new"

    def test_a_moved_path_does_not_change_with_its_other_names(self, storage: StorageBackend, tmp_path: Path) -> None:
        source, other = tmp_path / "source.txt", tmp_path / "other.txt"
        source.write_bytes(b"stored")
        other.hardlink_to(source)
        storage.put(ACME, "a.txt", source, move=True)
        other.write_bytes(b"changed")
        assert self.read(storage, "a.txt") == b"stored"
        assert not source.exists()

    @pytest.mark.parametrize("move", [False, True])
    def test_a_source_that_does_not_exist_is_refused(self, storage: StorageBackend, tmp_path: Path, move: bool) -> None:
        with pytest.raises(NotFound) as caught:
            storage.put(ACME, "a.txt", tmp_path / "nothing.txt", move=move)
        assert str(caught.value) == "there is no file `nothing.txt` to store"

    @pytest.mark.parametrize("move", [False, True])
    def test_a_source_that_is_a_symbolic_link_is_refused(
        self, storage: StorageBackend, tmp_path: Path, move: bool
    ) -> None:
        (tmp_path / "secret").write_bytes(b"not yours")
        (tmp_path / "link").symlink_to(tmp_path / "secret")
        with pytest.raises(Forbidden) as caught:
            storage.put(ACME, "a.txt", tmp_path / "link", move=move)
        assert str(caught.value) == "`link` is a symbolic link and is not stored\n  expected: a file"
        assert list(storage.list(ACME)) == []

    def test_a_source_that_is_a_directory_is_refused(self, storage: StorageBackend, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        with pytest.raises(TailraceError) as caught:
            storage.put(ACME, "a.txt", tmp_path / "folder")
        assert str(caught.value) == "`folder` is not a file that can be stored\n  expected: a regular file"

    def test_a_source_that_fails_leaves_nothing(self, storage: StorageBackend) -> None:
        with pytest.raises((ConnectionResetError, TailraceError)):
            storage.put(ACME, "a.txt", _Broken())  # type: ignore[arg-type]
        assert list(storage.list(ACME)) == []
        with pytest.raises(NotFound):
            storage.open(ACME, "a.txt")

    def test_a_source_that_fails_leaves_what_was_there(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a.txt", _stream(b"before"))
        with pytest.raises((ConnectionResetError, TailraceError)):
            storage.put(ACME, "a.txt", _Broken())  # type: ignore[arg-type]
        assert self.read(storage, "a.txt") == b"before"

    def test_an_open_file_is_seekable(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a.txt", _stream(b"0123456789"))
        with storage.open(ACME, "a.txt") as stream:
            assert stream.seekable()
            stream.seek(7)
            assert stream.read(2) == b"78"
            stream.seek(-1, io.SEEK_END)
            assert stream.read() == b"9"

    def test_two_readers_do_not_disturb_each_other(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a.txt", _stream(b"0123456789"))
        with storage.open(ACME, "a.txt") as first, storage.open(ACME, "a.txt") as second:
            assert (first.read(3), second.read(5), first.read()) == (b"012", b"01234", b"3456789")

    def test_opening_what_is_not_there_says_so(self, storage: StorageBackend) -> None:
        with pytest.raises(NotFound) as caught:
            storage.open(ACME, "dir/a.txt")
        assert str(caught.value) == "there is no file `storage:///dir/a.txt`"

    def test_a_directory_is_not_a_file(self, storage: StorageBackend) -> None:
        storage.put(ACME, "dir/a.txt", _stream(b"x"))
        for look in (storage.open, storage.stat, storage.local_path):
            if look is storage.local_path and storage.local_path(ACME, "dir/a.txt") is None:
                continue
            with pytest.raises(NotFound) as caught:
                look(ACME, "dir")
            assert str(caught.value) == "there is no file `storage:///dir`"
        assert storage.delete(ACME, "dir") is False

    def test_stat_tells_uri_and_size(self, storage: StorageBackend) -> None:
        stored = storage.put(ACME, "a.txt", _stream(b"hello"))
        told = storage.stat(ACME, "a.txt")
        assert (told.uri, told.size) == ("storage:///a.txt", 5)
        assert told.sha256 in ("", stored.sha256)

    def test_stat_of_what_is_not_there_says_so(self, storage: StorageBackend) -> None:
        with pytest.raises(NotFound) as caught:
            storage.stat(ACME, "a.txt")
        assert str(caught.value) == "there is no file `storage:///a.txt`"

    def test_a_local_path_holds_the_file_where_there_is_one(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a.txt", _stream(b"hello"))
        path = storage.local_path(ACME, "a.txt")
        assert path is None or path.read_bytes() == b"hello"

    def test_a_list_is_ordered_by_path(self, storage: StorageBackend) -> None:
        paths = ["b", "a/z", "a/b/c", "a.txt", "a-b/x", "a/b.txt", "A", "a0", "ä", "a/b-c"]
        for path in paths:
            storage.put(ACME, path, _stream(path.encode()))
        assert _uris(list(storage.list(ACME))) == [f"storage:///{path}" for path in sorted(paths)]

    def test_a_list_tells_sizes(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a", _stream(b"1"))
        storage.put(ACME, "b", _stream(b"22"))
        assert [file.size for file in storage.list(ACME)] == [1, 2]

    def test_a_list_below_a_directory_leaves_out_its_namesakes(self, storage: StorageBackend) -> None:
        for path in ("dir/a", "dir/sub/b", "dir2/c", "dir.txt", "other/dir/d"):
            storage.put(ACME, path, _stream(b"x"))
        assert _uris(list(storage.list(ACME, "dir"))) == ["storage:///dir/a", "storage:///dir/sub/b"]
        assert _uris(list(storage.list(ACME, "dir/sub"))) == ["storage:///dir/sub/b"]

    @pytest.mark.parametrize("prefix", ["", "nothing", "nothing/here", "file"])
    def test_a_list_of_nothing_is_empty(self, storage: StorageBackend, prefix: str) -> None:
        storage.put(OTHER, "nothing", _stream(b"x"))
        if prefix == "file":
            storage.put(ACME, "file", _stream(b"x"))
        assert list(storage.list(ACME, prefix)) == []

    def test_delete_removes_one_file(self, storage: StorageBackend) -> None:
        storage.put(ACME, "dir/a", _stream(b"x"))
        storage.put(ACME, "dir/b", _stream(b"x"))
        assert storage.delete(ACME, "dir/a") is True
        assert _uris(list(storage.list(ACME))) == ["storage:///dir/b"]
        with pytest.raises(NotFound):
            storage.open(ACME, "dir/a")

    def test_deleting_what_is_not_there_is_no_error(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a", _stream(b"x"))
        assert storage.delete(ACME, "b") is False
        assert storage.delete(ACME, "a") is True
        assert storage.delete(ACME, "a") is False

    def test_a_directory_ends_with_its_last_file(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a/b/c", _stream(b"x"))
        storage.delete(ACME, "a/b/c")
        storage.put(ACME, "a", _stream(b"now a file"))
        assert self.read(storage, "a") == b"now a file"

    def test_delete_tree_removes_every_file_below(self, storage: StorageBackend) -> None:
        for path in ("dir/a", "dir/sub/b", "dir/sub/deep/c", "dir2/d", "dir.txt"):
            storage.put(ACME, path, _stream(b"x"))
        assert storage.delete_tree(ACME, "dir") == 3
        assert _uris(list(storage.list(ACME))) == ["storage:///dir.txt", "storage:///dir2/d"]
        assert storage.delete_tree(ACME, "dir") == 0

    def test_delete_tree_of_a_file_leaves_it(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a", _stream(b"x"))
        assert storage.delete_tree(ACME, "a") == 0
        assert self.read(storage, "a") == b"x"

    def test_delete_tree_of_everything_leaves_other_organizations(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a", _stream(b"x"))
        storage.put(ACME, "dir/b", _stream(b"x"))
        storage.put(OTHER, "a", _stream(b"theirs"))
        assert storage.delete_tree(ACME, "") == 2
        assert (list(storage.list(ACME)), self.read(storage, "a", OTHER)) == ([], b"theirs")

    def test_one_organization_never_sees_anothers_files(self, storage: StorageBackend) -> None:
        storage.put(ACME, "a", _stream(b"ours"))
        assert list(storage.list(OTHER)) == []
        assert storage.delete(OTHER, "a") is False
        with pytest.raises(NotFound):
            storage.open(OTHER, "a")
        storage.put(OTHER, "a", _stream(b"theirs"))
        assert (self.read(storage, "a"), self.read(storage, "a", OTHER)) == (b"ours", b"theirs")

    @pytest.mark.parametrize("path", LEADING_OUT)
    def test_no_path_leads_out(self, storage: StorageBackend, path: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: storage.put(ACME, path, _stream(b"x")),
            lambda: storage.open(ACME, path),
            lambda: storage.stat(ACME, path),
            lambda: storage.delete(ACME, path),
        ]
        if path:
            calls += [lambda: storage.list(ACME, path), lambda: storage.delete_tree(ACME, path)]
        for call in calls:
            with pytest.raises(Forbidden) as caught:
                call()
            assert str(caught.value) == (
                f"`{path}` is not a path inside the storage\n  expected: a relative path without `..`"
            )

    @pytest.mark.parametrize("organization", ["", ".", "..", "../acme", "a/b", "/"])
    def test_no_organization_leads_out(self, storage: StorageBackend, organization: str) -> None:
        for call in (storage.open, storage.stat, storage.delete, storage.list, storage.delete_tree):
            with pytest.raises(Forbidden):
                call(organization, "a")

    def test_files_are_there_for_the_next_process(self, storage: StorageBackend, tmp_path: Path) -> None:
        storage.put(ACME, "dir/a", _stream(b"kept"))
        assert self.read(self.make(tmp_path / "storage"), "dir/a") == b"kept"

    def test_a_reader_of_a_replaced_file_never_sees_a_mixture(self, storage: StorageBackend) -> None:
        size, rounds = 300_000, 30
        storage.put(ACME, "a", _stream(b"0" * size))
        torn: list[bytes] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                data = self.read(storage, "a")
                if len(data) != size or len(set(data)) != 1:
                    torn.append(data[:20])

        def write(sign: bytes) -> None:
            for _ in range(rounds):
                storage.put(ACME, "a", _stream(sign * size))

        reader = threading.Thread(target=look)
        writers = [threading.Thread(target=write, args=(sign,)) for sign in (b"1", b"2", b"3")]
        for thread in (reader, *writers):
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        reader.join()
        assert torn == []
        assert _uris(list(storage.list(ACME))) == ["storage:///a"]

    def test_putting_survives_that_neighbours_are_deleted(self, storage: StorageBackend) -> None:
        failures: list[Exception] = []

        def work(name: str) -> None:
            try:
                for _ in range(60):
                    storage.put(ACME, f"dir/sub/{name}", _stream(b"x"))
                    storage.delete(ACME, f"dir/sub/{name}")
            except (TailraceError, OSError) as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert list(storage.list(ACME)) == []
