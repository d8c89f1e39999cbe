from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from core.sdk import Forbidden
from tailrace_runner_docker.exchange import pack, unpack


def archive(*entries: tuple[str, bytes, str | bytes], chunk: int = 1000) -> list[bytes]:
    """A tar stream of (name, type, link target or content), in chunks."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, kind, what in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.mode = 0o755 if kind == tarfile.DIRTYPE else 0
            if isinstance(what, bytes):
                entry.size = len(what)
            else:
                entry.linkname = what
            tar.addfile(entry, io.BytesIO(what) if isinstance(what, bytes) else None)
    content = target.getvalue()
    return [content[start : start + chunk] for start in range(0, len(content), chunk)]


def names(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))


@pytest.mark.parametrize("chunk", [1, 511, 512, 100_000])
def test_a_directory_is_replaced_by_what_comes_back(tmp_path: Path, chunk: int) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_text("old")
    chunks = archive(
        ("work", tarfile.DIRTYPE, ""),
        ("work/sub", tarfile.DIRTYPE, ""),
        ("work/sub/a", tarfile.REGTYPE, b"A"),
        chunk=chunk,
    )
    assert unpack(chunks, tmp_path) == []
    assert names(tmp_path) == ["sub", "sub/a"]
    assert (tmp_path / "sub/a").read_bytes() == b"A"  # though its mode was 0


@pytest.mark.parametrize("name", ["work/../../evil", "work/sub/../../evil", "work/.."])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    with pytest.raises(Forbidden) as caught:
        unpack(archive((name, tarfile.REGTYPE, b"x")), inner)
    assert str(caught.value) == (
        f"The container engine gave a file named `{name}`, which leads out of the working directory"
    )
    assert names(tmp_path) == ["a", "a/b"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside, inner = tmp_path / "outside", tmp_path / "inner"
    outside.mkdir()
    inner.mkdir()
    chunks = archive(("work/x", tarfile.SYMTYPE, str(outside)), ("work/x/file", tarfile.REGTYPE, b"x"))
    with pytest.raises(OSError, match="exists"):  # the link can't be made any more, a directory is there
        unpack(chunks, inner)
    assert names(outside) == []


def test_links_that_lead_out_are_left_out_even_by_way_of_others(tmp_path: Path) -> None:
    chunks = archive(
        ("work/p", tarfile.DIRTYPE, ""),
        ("work/p/q", tarfile.DIRTYPE, ""),
        ("work/detour", tarfile.SYMTYPE, "p/q/up/../etc"),
        ("work/p/q/up", tarfile.SYMTYPE, "../.."),
        ("work/absolute", tarfile.SYMTYPE, "/etc"),
        ("work/inside", tarfile.SYMTYPE, "p/q"),
        ("work/loop", tarfile.SYMTYPE, "loop"),
    )
    assert unpack(chunks, tmp_path) == ["detour", "absolute"]
    assert names(tmp_path) == ["inside", "loop", "p", "p/q", "p/q/up"]


def test_devices_and_pipes_are_left_out(tmp_path: Path) -> None:
    chunks = archive(("work/pipe", tarfile.FIFOTYPE, ""), ("work/null", tarfile.CHRTYPE, ""))
    assert unpack(chunks, tmp_path) == ["pipe", "null"]
    assert names(tmp_path) == []


def test_what_is_packed_unpacks_to_the_same(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub" / "empty").mkdir(parents=True)
    target.mkdir()
    long_name = "sub/" + "日本" * 40 + ".txt"
    contents = {"a": b"", "sub/b": b"x" * 512, "sub/c": os.urandom(2_500_001), long_name: b"1"}
    for name, content in contents.items():
        (source / name).write_bytes(content)
    (source / "run").write_bytes(b"#!/bin/sh\n")
    (source / "run").chmod(0o750)
    (source / "link").symlink_to("sub/b")
    os.link(source / "a", source / "twin")
    depth = len(source.parts) - 1
    stream = b"".join(pack(source, for_everyone=False))
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        assert all(Path("/", entry.name).is_relative_to(source) for entry in tar)
        assert {(entry.uid, entry.gid, entry.uname) for entry in tar} == {(0, 0, "")}
        for entry in tar:
            if "link" not in entry.name:
                tar.extract(entry, target)
    copied = target.joinpath(*source.parts[1:])
    assert {name: (copied / name).read_bytes() for name in contents} == contents
    assert (copied / "run").stat().st_mode & 0o777 == 0o750
    assert (copied / "twin").read_bytes() == b""
    assert depth == len(copied.relative_to(target).parts)


def test_for_everyone_lets_all_write_without_making_programs(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir(mode=0o700)
    (tmp_path / "sub" / "file").write_text("x")
    (tmp_path / "sub" / "file").chmod(0o600)
    with tarfile.open(fileobj=io.BytesIO(b"".join(pack(tmp_path, for_everyone=True)))) as tar:
        modes = {Path(entry.name).name: entry.mode & 0o777 for entry in tar}
    assert modes == {tmp_path.name: 0o777, "sub": 0o777, "file": 0o666}
