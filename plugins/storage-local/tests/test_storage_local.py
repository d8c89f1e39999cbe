from __future__ import annotations

import hashlib
import io
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

import tailrace_storage_local
from core.errors import Conflict, Forbidden, Invalid, TooLarge, Unreachable
from core.sdk.storage import StorageBackend
from core.testing.storage_contract import StorageContract
from tailrace_storage_local.backend import LocalStorage, create


class TestLocalStorage(StorageContract):
    def make(self, directory: Path) -> StorageBackend:
        return create(directory, False)


class TestDurableLocalStorage(StorageContract):
    def make(self, directory: Path) -> StorageBackend:
        return create(directory, True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def storage(root: Path) -> LocalStorage:
    return create(root, False)


def put(storage: LocalStorage, path: str, data: bytes = b"x") -> None:
    storage.put("acme", path, io.BytesIO(data))


def leftovers(root: Path) -> list[str]:
    return os.listdir(root / ".incoming")


def test_the_plugin_names_a_backend_that_can_be_created(root: Path) -> None:
    (reference,) = tailrace_storage_local.storage_backends()
    module, _, factory = reference.target.partition(":")
    made = getattr(import_module(module), factory)(root, True)
    assert (reference.name, type(made), made.name) == ("local", LocalStorage, "local")


def test_files_lie_where_their_paths_say(storage: LocalStorage, root: Path) -> None:
    put(storage, "ns/flow/executions/1/a.csv", b"rows")
    assert (root / "acme/ns/flow/executions/1/a.csv").read_bytes() == b"rows"
    assert storage.local_path("acme", "ns/flow/executions/1/a.csv") == root / "acme/ns/flow/executions/1/a.csv"


def test_nothing_is_made_before_the_first_file(storage: LocalStorage, root: Path) -> None:
    assert list(storage.list("acme")) == []
    assert not root.exists()


def test_a_moved_file_is_renamed_and_not_copied(storage: LocalStorage, root: Path, tmp_path: Path) -> None:
    source = tmp_path / "large.bin"
    source.write_bytes(b"large")
    number = source.stat().st_ino
    storage.put("acme", "large.bin", source, move=True)
    assert (root / "acme/large.bin").stat().st_ino == number


def test_a_file_moved_from_another_file_system_is_copied_and_removed(storage: LocalStorage, root: Path) -> None:
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == root.parent.stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    source = Path("/dev/shm", f"tailrace-{os.getpid()}")
    source.write_bytes(b"from afar")
    try:
        stored = storage.put("acme", "a", source, move=True)
        assert stored.sha256 == hashlib.sha256(b"from afar").hexdigest()
        assert (root / "acme/a").read_bytes() == b"from afar"
        assert not source.exists()
    finally:
        source.unlink(missing_ok=True)


@pytest.mark.parametrize("durable", [False, True])
def test_a_durable_storage_syncs_the_file_before_it_appears_and_its_directories_after(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    synced: list[tuple[str, bool]] = []
    target = root / "acme/dir/a"

    def fsync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        synced.append((str(Path(path).relative_to(tmp_path)), target.exists()))

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc to see which files are synced")
    monkeypatch.setattr(os, "fsync", fsync)
    storage = create(root, durable)
    put(storage, "dir/a")
    (tmp_path / "source").write_bytes(b"x")
    target.unlink()
    storage.put("acme", "dir/a", tmp_path / "source", move=True)
    directories = [("storage/acme/dir", True), ("storage/acme", True), ("storage", True)]
    expected = [(f"storage/.incoming/{os.getpid()}-0", False), *directories, ("source", False), *directories]
    assert synced == (expected if durable else [])


@pytest.mark.parametrize("name", ["link", "link/inner", "dir/link/inner"])
def test_a_symbolic_link_inside_the_root_is_not_followed(
    storage: LocalStorage, root: Path, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "inner").write_bytes(b"not ours")
    put(storage, "dir/a")
    (root / "acme/link").symlink_to(outside)
    (root / "acme/dir/link").symlink_to(outside)
    calls: list[Callable[[], object]] = [
        lambda: storage.put("acme", name, io.BytesIO(b"x")),
        lambda: storage.open("acme", name),
        lambda: storage.stat("acme", name),
        lambda: storage.local_path("acme", name),
        lambda: storage.delete("acme", name),
        lambda: storage.delete_tree("acme", name),
    ]
    for call in calls:
        with pytest.raises(Forbidden) as caught:
            call()
        assert str(caught.value) == (
            f"`storage:///{name}` leads through a symbolic link\n"
            "  expected: files and directories that the storage made itself"
        )
    assert [file.uri for file in storage.list("acme")] == ["storage:///dir/a"]
    assert storage.delete_tree("acme", "dir") == 1
    assert (outside / "inner").read_bytes() == b"not ours"
    assert not (root / "acme/dir").exists()


def test_the_root_itself_may_be_reached_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    storage = create(tmp_path / "link", False)
    put(storage, "a")
    assert (tmp_path / "real/acme/a").read_bytes() == b"x"


def test_what_is_being_written_belongs_to_no_organization(storage: LocalStorage, root: Path) -> None:
    put(storage, "a")
    (root / ".incoming/left-by-a-crash").write_bytes(b"half a fi")
    assert [file.uri for file in storage.list("acme")] == ["storage:///a"]
    with pytest.raises(Forbidden) as caught:
        storage.open(".incoming", "left-by-a-crash")
    assert str(caught.value) == "`.incoming` is not the name of an organization\n  expected: one name, no path"


def test_a_name_left_by_a_killed_process_is_not_used_again(storage: LocalStorage, root: Path) -> None:
    (root / ".incoming").mkdir(parents=True)
    (root / f".incoming/{os.getpid()}-0").write_bytes(b"left")
    put(storage, "a", b"whole")
    assert (root / "acme/a").read_bytes() == b"whole"
    assert leftovers(root) == [f"{os.getpid()}-0"]


def test_a_failed_write_leaves_no_temporary_file(storage: LocalStorage, root: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        storage.put("acme", "a", Broken())
    assert leftovers(root) == []


def test_empty_directories_are_removed_up_to_the_organizations(storage: LocalStorage, root: Path) -> None:
    put(storage, "a/b/c/file")
    put(storage, "a/other")
    storage.delete("acme", "a/b/c/file")
    assert os.listdir(root / "acme/a") == ["other"]
    storage.delete_tree("acme", "a")
    assert os.listdir(root / "acme") == []


def test_a_file_in_the_way_of_a_directory_is_a_conflict(storage: LocalStorage) -> None:
    put(storage, "a")
    put(storage, "dir/b")
    for path in ("a/b", "dir"):
        with pytest.raises(Conflict) as caught:
            put(storage, path)
        assert str(caught.value) == (
            f"`storage:///{path}` can't be stored: a file or a directory of another path is in its way"
        )


def test_a_name_that_is_too_long_is_refused(storage: LocalStorage, root: Path) -> None:
    name = "n" * 300
    with pytest.raises(Invalid) as caught:
        put(storage, name)
    assert str(caught.value) == f"`storage:///{name}` has a name that is too long for the file system"


def test_a_root_that_is_a_file_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unreachable) as caught:
        put(create(tmp_path / "file", False), "a")
    assert str(caught.value) == f"the internal storage at `{tmp_path / 'file'}` failed: not a directory"


def test_a_root_that_can_not_be_written_says_what_to_do() -> None:
    with pytest.raises(Unreachable) as caught:
        put(create(Path("/proc/1/tailrace") if os.geteuid() else Path("/sys/tailrace"), False), "a")
    assert "can't be used: " in str(caught.value)
    assert str(caught.value).endswith("\n  to do: let this user read and write it")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a tiny file system")
    directory = tmp_path / "tiny"
    directory.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this machine does not mount a tiny file system: {made.stderr.strip()}")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def test_a_full_disk_says_so_and_leaves_what_was_there(tiny_disk: Path) -> None:
    storage = create(tiny_disk, False)
    put(storage, "a", b"before")
    with pytest.raises(Unreachable) as caught:
        put(storage, "a", b"x" * (2 << 20))
    assert str(caught.value) == (
        f"no space left in the internal storage at `{tiny_disk}`\n  to do: make room there, or move it"
    )
    assert (tiny_disk / "acme/a").read_bytes() == b"before"
    assert leftovers(tiny_disk) == []
    put(storage, "b", b"x" * (1 << 19))
    assert [file.uri for file in storage.list("acme")] == ["storage:///a", "storage:///b"]


def test_a_file_above_the_limit_of_the_process_is_too_large(storage: LocalStorage, root: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with pytest.raises(TooLarge) as caught:
            put(storage, "a", b"x" * (1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == "`storage:///a` is larger than a file may be here"
    assert leftovers(root) == []
