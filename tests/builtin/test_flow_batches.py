from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest

from core.builtin.flow_batches import ForEachItemMerge, ForEachItemSplit
from core.sdk import Invalid, StoredFile, TaskFailed

ITEMS = "storage:///items.txt"


class Files:
    """The part of a RunContext that these tasks use: files by URI, and a directory."""

    def __init__(self, folder: Path, text: bytes = b"") -> None:
        self.working_dir = folder
        self.stored = {ITEMS: text}

    @property
    def storage(self) -> Files:
        return self

    @contextmanager
    def open(self, uri: str) -> Iterator[BinaryIO]:
        yield BytesIO(self.stored[uri])

    def put(self, source: Path, name: str) -> StoredFile:
        content = source.read_bytes()
        source.unlink()
        self.stored[f"storage:///{name}"] = content
        return StoredFile(f"storage:///{name}", len(content), "")


def batches(ctx: Files, splits: str) -> list[bytes]:
    return [ctx.stored[uri] for uri in ctx.stored[splits].decode().split()]


LINES = b"one\ntwo\r\nthree\nfour\nfive"
DIVIDED: dict[str, tuple[ForEachItemSplit, list[bytes]]] = {
    "one line each": (ForEachItemSplit(items=ITEMS), [b"one\n", b"two\n", b"three\n", b"four\n", b"five\n"]),
    "rows": (ForEachItemSplit(items=ITEMS, rows=2), [b"one\ntwo\n", b"three\nfour\n", b"five\n"]),
    "partitions": (ForEachItemSplit(items=ITEMS, partitions=2), [b"one\nthree\nfive\n", b"two\nfour\n"]),
    "more partitions than lines": (
        ForEachItemSplit(items=ITEMS, partitions=9), [b"one\n", b"two\n", b"three\n", b"four\n", b"five\n"],
    ),
    "bytes go before the others": (
        ForEachItemSplit(items=ITEMS, size="8B", partitions=1, rows=9), [b"one\ntwo\n", b"three\n", b"four\n", b"five\n"],
    ),
    "a line larger than a batch": (ForEachItemSplit(items=ITEMS, size="1"), [b"one\n", b"two\n", b"three\n", b"four\n", b"five\n"]),
    "separator": (ForEachItemSplit(items=ITEMS, rows=5, separator=";"), [b"one;two;three;four;five;"]),
}  # fmt: skip


@pytest.mark.parametrize(("task", "expected"), DIVIDED.values(), ids=list(DIVIDED))
def test_lines_are_divided(task: ForEachItemSplit, expected: list[bytes], tmp_path: Path) -> None:
    ctx = Files(tmp_path, LINES)

    output = task.run(ctx)  # type: ignore[arg-type]

    assert batches(ctx, output.splits) == expected
    assert output.count == len(expected)


def test_an_empty_file_has_no_batches(tmp_path: Path) -> None:
    assert ForEachItemSplit(items=ITEMS).run(Files(tmp_path)).count == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            ForEachItemSplit(items="a,b"),
            "`items` is not a file of internal storage\n  expected: a URI such as storage:///…",
        ),
        (ForEachItemSplit(items=ITEMS, rows=0), "0 rows in a batch are not possible\n  expected: 1 or more"),
        (ForEachItemSplit(items=ITEMS, partitions=0), "0 partitions are not possible\n  expected: 1 or more"),
    ],
)
def test_what_can_not_be_divided_fails(task: ForEachItemSplit, message: str, tmp_path: Path) -> None:
    with pytest.raises(TaskFailed) as failed:
        task.run(Files(tmp_path, LINES))  # type: ignore[arg-type]
    assert str(failed.value) == message


def test_a_size_has_a_unit_of_bytes(tmp_path: Path) -> None:
    ctx = Files(tmp_path, LINES)
    assert ForEachItemSplit(items=ITEMS, size="1 kb").run(ctx).count == 1  # type: ignore[arg-type]
    with pytest.raises(Invalid) as failed:
        ForEachItemSplit(items=ITEMS, size="10 lines").run(ctx)  # type: ignore[arg-type]
    assert str(failed.value) == "`10 lines` is not a size\n  expected: a number with B, KB, MB or GB, such as 10MB"


def test_outputs_are_put_into_one_file(tmp_path: Path) -> None:
    ctx = Files(tmp_path)

    output = ForEachItemMerge(outputs=[{"a": "ü"}, {"a": None}]).run(ctx)  # type: ignore[arg-type]

    assert output.subflow_outputs is not None
    assert ctx.stored[output.subflow_outputs].decode() == '{"a":"ü"}\n{"a":null}\n'


def test_without_outputs_there_is_no_file(tmp_path: Path) -> None:
    assert ForEachItemMerge().run(Files(tmp_path)).subflow_outputs is None  # type: ignore[arg-type]
