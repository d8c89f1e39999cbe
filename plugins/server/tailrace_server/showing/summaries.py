"""The columns of a list of maps, summed up as those of a file are: it is written to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tailrace_server.plain import json_bytes
from tailrace_server.showing.duck import reader, summed_up
from tailrace_server.showing.table_files import ways_to_read
from tailrace_server.showing.tables import COLUMNS, Summed


def summed_list(rows: Sequence[Any]) -> tuple[Mapping[str, Summed], str]:
    """Each column summed up, and a note about what went wrong."""
    import duckdb  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        with path.open("wb") as file:
            for row in rows:
                file.write(json_bytes(row) + b"\n")
        with reader(path) as connection:
            try:
                for way in ways_to_read(connection, path):
                    return summed_up(connection, path, way, way.columns[:COLUMNS])
            except duckdb.Error as error:
                return {}, f"not summed up: {str(error).partition(chr(10))[0]}"
    return {}, ""
