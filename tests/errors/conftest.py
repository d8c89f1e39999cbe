"""The program as a user starts it, and its words without what differs from run to run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Told = Callable[..., tuple[int, str, str]]
_CHANGING = (
    (r"\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"\b\d+\.\d\d s\b", "SOME s"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID"),
)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Runs a command on a flow of these lines: its exit code, standard output and standard error.

    Paths are those below the test's folder, which is the current one; times, durations and ids are words.
    """

    def run(command: str, body: str, *options: str, **environment: str) -> tuple[int, str, str]:
        (tmp_path / "flow.yaml").write_text(f"id: shop\nnamespace: company.team\n{body}", "utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
        kept |= {"TAILRACE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), **environment}
        ended = subprocess.run(
            [sys.executable, "-m", "core", command, "flow.yaml", *options], cwd=tmp_path, env=kept,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return ended.returncode, _same(ended.stdout, tmp_path), _same(ended.stderr, tmp_path)

    return run


def _same(text: str, folder: Path) -> str:
    text = text.replace(str(folder), "HERE")
    for pattern, word in _CHANGING:
        text = re.sub(pattern, word, text)
    return text
