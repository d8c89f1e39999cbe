"""The hidden tasks of `flow.ForEachItem`: a file divided into batches, and what came of them put into one file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.sdk import Invalid, RunContext, RunnableTask, TaskFailed, TaskOutput, is_storage_uri, prop

_AT_ONCE = 4 << 20
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class ForEachItemSplit(
    RunnableTask,
    type="flow.ForEachItemSplit",
    aliases=("io.kestra.plugin.core.flow.ForEachItem$ForEachItemSplit",),
):
    """Divide the lines of a file into batches."""

    items: str = prop("The URI of the file.")
    rows: int = prop("Lines in a batch.", default=1)
    partitions: int | None = prop("How many batches; goes before `rows`.", default=None)
    size: str | None = prop(
        "How large a batch may be, such as `10MB`; goes before the others.", default=None, name="bytes"
    )
    separator: str = prop("What is written after each line.", default="\n")

    class Output(TaskOutput):
        splits: str = prop("The URI of a file with the URI of each batch.")
        count: int = prop("How many batches there are.")

    def run(self, ctx: RunContext) -> Output:
        if not is_storage_uri(self.items):
            raise TaskFailed("`items` is not a file of internal storage", expected="a URI such as storage:///…")
        listed = ctx.working_dir / "splits"
        count = 0
        with ctx.storage.open(self.items) as source, listed.open("w", encoding="utf-8") as splits:
            lines = (line.rstrip(b"\r\n") + self.separator.encode() for line in source)
            for part in self._batches(lines, ctx.working_dir):
                splits.write(ctx.storage.put(part, f"batch-{count}.txt").uri + "\n")
                count += 1
        return self.Output(splits=ctx.storage.put(listed, "splits.txt").uri, count=count)

    def _batches(self, lines: Iterator[bytes], folder: Path) -> Iterator[Path]:
        """A file for each batch; no more than one line, or a few megabytes, is in memory."""
        if self.size is not None:
            limit = _bytes(self.size)
            return _in_sequence(lines, lambda count, size: size > limit, folder)
        if self.partitions is not None:
            if self.partitions < 1:
                raise TaskFailed(f"{self.partitions} partitions are not possible", expected="1 or more")
            return _in_turn(lines, self.partitions, folder)
        if self.rows < 1:
            raise TaskFailed(f"{self.rows} rows in a batch are not possible", expected="1 or more")
        return _in_sequence(lines, lambda count, size: count > self.rows, folder)


class ForEachItemMerge(
    RunnableTask,
    type="flow.ForEachItemMerge",
    aliases=("io.kestra.plugin.core.flow.ForEachItem$ForEachItemMergeOutputs",),
):
    """Put what came of the batches into one file."""

    outputs: list[Any] | None = prop("The outputs of each execution.", default=None)

    class Output(TaskOutput):
        subflow_outputs: str | None = prop("The URI of a file with a line of JSON for each execution.")

    def run(self, ctx: RunContext) -> Output:
        if not self.outputs:
            return self.Output(subflow_outputs=None)
        target = ctx.working_dir / "outputs"
        with target.open("w", encoding="utf-8") as file:
            for one in self.outputs:
                file.write(json.dumps(one, ensure_ascii=False, default=str, separators=(",", ":")) + "\n")
        return self.Output(subflow_outputs=ctx.storage.put(target, "outputs.jsonl").uri)


def _in_sequence(lines: Iterator[bytes], full: Callable[[int, int], bool], folder: Path) -> Iterator[Path]:
    """As many lines as fit. full: whether a batch of so many lines and bytes is too large; one line always fits."""
    line = next(lines, None)
    while line is not None:
        count = size = 0
        part = folder / "batch"
        with part.open("wb") as target:
            while line is not None and not (count and full(count + 1, size + len(line))):
                target.write(line)
                count, size = count + 1, size + len(line)
                line = next(lines, None)
        yield part


def _in_turn(lines: Iterator[bytes], partitions: int, folder: Path) -> Iterator[Path]:
    """Line after line to one batch after another; empty ones are left out."""
    waiting: dict[int, list[bytes]] = {}
    size = 0
    for at, line in enumerate(lines):
        waiting.setdefault(at % partitions, []).append(line)
        size += len(line)
        if size > _AT_ONCE:
            _append(waiting, folder)
            size = 0
    _append(waiting, folder)
    yield from (part for part in (folder / f"batch-{at}" for at in range(partitions)) if part.exists())


def _append(waiting: dict[int, list[bytes]], folder: Path) -> None:
    """Write what waits to the files of its batches: so many need not be open at once."""
    for at, lines in waiting.items():
        with (folder / f"batch-{at}").open("ab") as target:
            target.writelines(lines)
    waiting.clear()


def _bytes(text: str) -> int:
    """`10MB` → how many. Raises Invalid."""
    match = re.fullmatch(r"\s*([0-9]+)\s*([KMGT]?)B?\s*", text, re.IGNORECASE)
    if match is None or not int(match.group(1)):
        raise Invalid(f"`{text}` is not a size", expected="a number with B, KB, MB or GB, such as 10MB")
    return int(match.group(1)) * _UNITS[match.group(2).upper()]
