"""The first rows of Parquet files, by whichever library for them is installed."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple


class Rows(NamedTuple):
    """The first rows of a table, and whether there are more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


def first_rows(source: BinaryIO, limit: int) -> Rows | None:
    """Of a stream that can seek; None when nothing here can read it, or it is no Parquet file."""
    try:
        from pyarrow import ArrowException  # noqa: PLC0415 # large, and not everybody has it
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415
    except ImportError:
        return _by_duckdb(source, limit)
    try:
        file = ParquetFile(source)
        names = tuple(file.schema_arrow.names)
        found = [row for batch in islice(file.iter_batches(limit), 2) for row in batch.to_pylist()]
    except (ArrowException, OSError):
        return None
    shown = tuple(tuple(row[name] for name in names) for row in found[:limit])
    return Rows(names, shown, file.metadata.num_rows > limit)


def _by_duckdb(source: BinaryIO, limit: int) -> Rows | None:
    """It reads files by their paths; what a storage elsewhere streams has none."""
    path = Path(str(getattr(source, "name", "")))
    if not path.is_file():
        return None
    try:
        import duckdb  # noqa: PLC0415
    except ImportError:
        return None
    try:
        with duckdb.connect() as connection:
            found = connection.execute("SELECT * FROM read_parquet(?) LIMIT ?", [str(path), limit + 1])
            names = tuple(column[0] for column in found.description or ())
            rows = found.fetchall()
    except duckdb.Error:
        return None
    return Rows(names, tuple(rows[:limit]), len(rows) > limit)
