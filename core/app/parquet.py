"""The first rows of Parquet files, by whichever library for them is installed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData

CELLS = 1_000_000
"""Of the rows together, however wide they are."""
MEMORY = "512MB"
ROOM = 64_000_000
"""Bytes of them: a small file may hold one long text very often."""
AT_ONCE = 100
"""Rows, or fewer where together they could be larger than ROOM."""


class Rows(NamedTuple):
    """The first rows of a table, and whether there are more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


def first_rows(source: BinaryIO, limit: int) -> Rows | None:
    """Of a stream that can seek; None when it is no Parquet file, or nothing here can read it in the memory it has."""
    try:
        from pyarrow import ArrowException  # noqa: PLC0415 # large, and not everybody has it
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415
    except ImportError:
        return _by_duckdb(source, limit)
    try:
        file = ParquetFile(source)
        names = tuple(file.schema_arrow.names)
        most, room = _most(limit, names), ROOM
        found: list[dict[str, Any]] = []
        for batch in file.iter_batches(min(most, _at_once(file.metadata))):
            room -= batch.nbytes
            if room < 0 or len(found) >= most:
                break
            found += batch.to_pylist()
    except (ArrowException, OSError):
        return None
    except (ValueError, OverflowError, LookupError):  # what Python has no value for: nanoseconds, far years, odd zones
        return _by_duckdb(source, limit)
    shown = tuple(tuple(row[name] for name in names) for row in found[:most])
    return Rows(names, shown, file.metadata.num_rows > len(shown))


def _most(limit: int, names: Sequence[str]) -> int:
    return max(1, min(limit, CELLS // max(1, len(names))))


def _at_once(about: FileMetaData) -> int:
    """How many rows have room: each may be as large as all values of its group that differ from one another."""
    largest = max((about.row_group(number).total_byte_size for number in range(about.num_row_groups)), default=0)
    return max(1, min(AT_ONCE, ROOM // max(1, largest)))


def _by_duckdb(source: BinaryIO, limit: int) -> Rows | None:
    """It reads files by their paths; what a storage elsewhere streams has none."""
    path = Path(str(getattr(source, "name", "")))
    if not path.is_file():
        return None
    try:
        import duckdb  # noqa: PLC0415
    except ImportError:
        return None
    plain = re.sub(r"[*?\[]", r"[\g<0>]", str(path))  # to DuckDB these stand for many files
    try:
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": ""}) as connection:
            found = connection.execute("SELECT * FROM read_parquet(?) LIMIT ?", [plain, limit + 1])
            names = tuple(column[0] for column in found.description or ())
            most, room = _most(limit, names), ROOM
            rows: list[tuple[Any, ...]] = []
            while len(rows) <= most and room > 0 and (several := found.fetchmany(AT_ONCE)):
                room -= sum(len(cell) for row in several for cell in row if isinstance(cell, (str, bytes)))
                rows += several
            more = room <= 0 or len(rows) > most
    except duckdb.Error:
        return None
    return Rows(names, tuple(rows[:most]), more)
