"""Tasks on the lines of files, in constant memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.sdk import Invalid, RunContext, RunnableTask, TaskOutput, prop

BLOCK = 1 << 18
MOST_PARTITIONS = 500
"""Files that are open at once."""
_SIZE = re.compile(r"(\d+)\s*([KMGT]?)(I?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Split(
    RunnableTask,
    type="storage.Split",
    aliases=("io.kestra.plugin.core.storage.Split", "io.kestra.core.tasks.storages.Split"),
):
    """Cut a file into several, between its lines.

    One of `bytes`, `partitions` and `rows` says how; `bytes` goes before `partitions`, `partitions` before `rows`.
    """

    from_: str = prop("URI of the file.", examples=("{{ outputs.download.uri }}",))
    bytes_: str | None = prop("A part ends with the line that reaches this size, such as `10MB`.", default=None)
    partitions: int | None = prop(
        f"How many parts; lines are dealt out in turn. At most {MOST_PARTITIONS}.", default=None
    )
    rows: int | None = prop("How many lines a part has.", default=None)
    separator: str = prop("Written after each line.", default="\n")

    class Output(TaskOutput):
        uris: list[str] = prop("The parts, in order.")

    def run(self, ctx: RunContext) -> Output:
        end = self.separator.encode()
        folder = ctx.working_dir / "parts"
        folder.mkdir()
        with ctx.storage.open(self.from_) as source:
            if self.bytes_ is not None:
                parts = _one_by_one(lines(source), end, folder, size=_whole("bytes", size_of(self.bytes_)))
            elif self.partitions is not None:
                parts = _in_turn(lines(source), end, folder, _whole("partitions", self.partitions))
            elif self.rows is not None:
                parts = _one_by_one(lines(source), end, folder, rows=_whole("rows", self.rows))
            else:
                raise Invalid("Invalid configuration with no size, count, nor rows", expected="bytes, partitions, rows")
        suffix = PurePosixPath(self.from_).suffix
        return self.Output(uris=[ctx.storage.put(part, f"part-{n}{suffix}").uri for n, part in enumerate(parts, 1)])


class Reverse(
    RunnableTask,
    type="storage.Reverse",
    aliases=("io.kestra.plugin.core.storage.Reverse", "io.kestra.core.tasks.storages.Reverse"),
):
    """Turn the order of a file's lines round."""

    from_: str = prop("URI of the file.", examples=("{{ outputs.download.uri }}",))
    separator: str = prop("Written after each line.", default="\n")
    charset: str = prop("How its text is written; one in which a line break is one byte.", default="UTF-8")

    class Output(TaskOutput):
        uri: str = prop("The new file.")

    def run(self, ctx: RunContext) -> Output:
        end = _encoded(self.separator, self.charset)
        reversed_ = ctx.working_dir / "reversed"
        with ctx.storage.open(self.from_) as source, reversed_.open("wb") as target:
            for line in lines_backwards(source):
                target.write(line + end)
        suffix = PurePosixPath(self.from_).suffix
        return self.Output(uri=ctx.storage.put(reversed_, f"reversed{suffix}").uri)


def lines(source: BinaryIO) -> Iterator[bytes]:
    """The lines of a file without their ends (`\\n` or `\\r\\n`)."""
    for line in source:
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def lines_backwards(source: BinaryIO) -> Iterator[bytes]:
    """The lines of a file from its last to its first, read in blocks from its end."""
    position = source.seek(0, 2)
    rest: list[bytes] = []  # the pieces of a line whose beginning was not read yet, the last piece first
    at_end = True
    while position:
        start = max(0, position - BLOCK)
        source.seek(start)
        block = source.read(position - start)
        position = start
        if at_end:
            block, at_end = block.removesuffix(b"\n"), False
        first, *others = block.split(b"\n")
        for piece in reversed(others):
            yield _line(piece, rest)
        rest.append(first)
    if not at_end:
        yield _line(b"", rest)


def _line(beginning: bytes, rest: list[bytes]) -> bytes:
    line = beginning + b"".join(reversed(rest))
    rest.clear()
    return line.removesuffix(b"\r")


def size_of(text: str) -> int:
    """`10MB` → bytes; units are powers of 1024. Raises Invalid."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"`{text}` is not a size", where="$.bytes", expected="a number of bytes such as 512, 10KB, 10MB")
    return int(found[1]) * _UNITS[found[2].upper()]


def _whole(name: str, number: int) -> int:
    if number < 1:
        raise Invalid(f"`{name}` is less than 1", where=f"$.{name}")
    return number


def _one_by_one(found: Iterator[bytes], end: bytes, folder: Path, *, size: int = 0, rows: int = 0) -> list[Path]:
    """Part after part, each closed once it has so many bytes or lines."""
    parts: list[Path] = []
    line = next(found, None)
    while line is not None:
        part = folder / str(len(parts))
        parts.append(part)
        with part.open("wb") as target:
            written = count = 0
            while line is not None and not (size and written >= size) and not (rows and count >= rows):
                written += target.write(line + end)
                count += 1
                line = next(found, None)
    return parts


def _in_turn(found: Iterator[bytes], end: bytes, folder: Path, count: int) -> list[Path]:
    """Lines dealt out to so many parts; parts without any are left out."""
    if count > MOST_PARTITIONS:
        raise Invalid(f"{count} partitions are too many", where="$.partitions", expected=f"at most {MOST_PARTITIONS}")
    parts: list[Path] = []
    with ExitStack() as stack:
        targets: list[BinaryIO] = []
        for number, line in enumerate(found):
            if number < count:
                parts.append(folder / str(number))
                targets.append(stack.enter_context(parts[-1].open("wb")))
            targets[number % count].write(line + end)
    return parts


def _encoded(separator: str, charset: str) -> bytes:
    try:
        if "\n".encode(charset) != b"\n":
            raise Invalid(
                f"lines can't be found from the end of a file in {charset}", where="$.charset", expected="UTF-8"
            )
        return separator.encode(charset)
    except LookupError:
        raise Invalid(f"`{charset}` is not a charset", where="$.charset", expected="UTF-8") from None
    except UnicodeEncodeError:
        raise Invalid(f"the separator can't be written in {charset}", where="$.separator") from None
