"""The floor of the chain benchmark: what no engine can go below.

Parses the YAML with libyaml, formats each value in Python and commits one SQLite row per task.
Usage: python chain_floor.py FLOW.yaml DIRECTORY; prints the seconds it took.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from pathlib import Path

from ruamel.yaml import YAML


def main(flow: Path, directory: Path) -> None:
    started = time.perf_counter()
    tasks = YAML(typ="safe").load(flow.read_text("utf-8"))["tasks"]
    with sqlite3.connect(directory / "floor.db", isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, task TEXT, value TEXT)")
        outputs: dict[str, str] = {}
        for task in tasks:
            value = re.sub(r"{{ outputs\.(\w+)\.value }}", lambda match: outputs[match[1]], task["format"])
            outputs[task["id"]] = value
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rows (task, value) VALUES (?, ?)", (task["id"], value))
            connection.execute("COMMIT")
    connection.close()
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
