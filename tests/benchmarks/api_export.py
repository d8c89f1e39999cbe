"""Task outputs as NDJSON through HTTP: rows a second and memory, beside the same JSON made by the database alone.

Usage: python tests/benchmarks/api_export.py ROWS|HOME. A home with ROWS (1000000) task outputs, or one that `rows.py`
made before; with `TAILRACE_RECORDS=postgresql://…` the rows that are there, beside `COPY … TO STDOUT`.
"""

from __future__ import annotations

import http.client
import os
import sqlite3
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from rows import fill  # beside this script
from served import Served, server

MIB = 1 << 20
PIECE = 1 << 18
SOURCE = """FROM task_executions t
LEFT JOIN task_output_bodies b ON b.task_execution_id = t.id WHERE deleted_at IS NULL ORDER BY seq DESC"""
COLUMNS = (
    "id", "flow_execution_id", "task_name", "value", "namespace", "flow_id", "flow_revision", "state", "output_size",
    "error", "modified_by", "version", "created_at", "updated_at",
)  # fmt: skip
SQLITE = f"""SELECT json_object({", ".join(f"'{name}', {name}" for name in COLUMNS)},
  'summary', json(summary_json), 'output', json(b.body)) {SOURCE}"""
POSTGRES = f"""COPY (SELECT json_build_object({", ".join(f"'{name}', {name}" for name in COLUMNS)},
  'summary', summary_json::json, 'output', b.body::json) {SOURCE}) TO STDOUT"""


def through_http(served: Served, fields: str) -> None:
    """One export; where the server's memory stood while it ran."""
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    before = served.memory()[0] / MIB
    began = time.perf_counter()
    connection.request("GET", f"{parts.path}/task-outputs{fields}", headers={"Accept": "application/x-ndjson"})
    answer = connection.getresponse()
    lines = size = 0
    memory = []
    looked = began
    while piece := answer.read(PIECE):
        lines += piece.count(b"\n")
        size += len(piece)
        if time.perf_counter() - looked > 1:
            looked = time.perf_counter()
            memory.append(served.memory()[0] / MIB)
    seconds = time.perf_counter() - began
    connection.close()
    shown = ", ".join(f"{one:.0f}" for one in memory[:: max(1, len(memory) // 8)])
    print(f"HTTP{fields[:20] or ', all fields'}: {lines} rows, {size / MIB:.0f} MiB in {seconds:.1f} s: {lines / seconds:.0f} rows a second; "
          f"MiB of the server: {before:.0f} before, {shown}, {served.memory()[0] / MIB:.0f} after")  # fmt: skip


def by_sqlite(home: Path) -> None:
    """The same rows as JSON, by SQLite alone, in this process."""
    connection = sqlite3.connect(f"file:{home}/records.db?mode=ro", uri=True)
    began = time.perf_counter()
    lines = size = 0
    for (text,) in connection.execute(SQLITE):
        lines += 1
        size += len(text) + 1
    seconds = time.perf_counter() - began
    connection.close()
    print(f"sqlite3 alone: {lines} rows, {size / MIB:.0f} MiB in {seconds:.1f} s: {lines / seconds:.0f} rows a second")


def by_postgres(url: str) -> None:
    """The same rows as JSON, by `COPY … TO STDOUT`. The URL's user must be one that row-level security lets see."""
    psycopg = import_module("psycopg")
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('tailrace.organization', 'default', true)")
        began = time.perf_counter()
        lines = size = 0
        with connection.cursor().copy(POSTGRES) as copy:
            for piece in copy:
                lines += 1
                size += len(piece)
        seconds = time.perf_counter() - began
    print(f"COPY … TO STDOUT: {lines} rows, {size / MIB:.0f} MiB in {seconds:.1f} s: {lines / seconds:.0f} rows a second")


def measure(home: Path) -> None:
    url = os.environ.get("TAILRACE_RECORDS", "")
    with server(home, "--no-engine") as served:
        through_http(served, "")
        through_http(served, "?fields=id,task_name,status,created_at,tags")
    if url:
        by_postgres(url)
    else:
        by_sqlite(home)


def main(given: str) -> None:
    if given.isdigit():
        with tempfile.TemporaryDirectory() as name:
            fill(Path(name), int(given))
            measure(Path(name))
    else:
        measure(Path(given))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1000000")
