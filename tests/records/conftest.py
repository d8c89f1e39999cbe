"""Stores of these tests, and processes that use the same home."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.records import SqliteRecords

ROOT = Path(__file__).parents[2]
Process = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRecords]:
    made = SqliteRecords(tmp_path, durable=False, now=1)
    yield made
    made.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """Runs Python code in a process of its own, with `home` and the words given; killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *words: str) -> subprocess.Popen[str]:
        head = "import sys, time\nfrom pathlib import Path\nfrom core.records import SqliteRecords\n"
        head += "from core.testing.record_story import *\nhome, words = Path(sys.argv[1]), sys.argv[2:]\n"
        made = subprocess.Popen(
            [sys.executable, "-c", head + code, str(tmp_path), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        started.append(made)
        return made

    yield start
    for one in started:
        one.kill()
        one.communicate()
