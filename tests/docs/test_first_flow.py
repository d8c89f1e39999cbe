"""The tutorial of the first flow does what it says: every command runs, in order, and prints what is shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.docs.pages import ROOT, blocks, follow

PAGE = "tutorial/first-flow.md"


def test_every_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TAILRACE_HOME": str(tmp_path / "home"),
    }
    (tmp_path / "work").mkdir()

    done = list(follow(blocks(PAGE), tmp_path / "work", environment))

    words = [command.split()[3] for command in done if command.startswith("python -m core")]
    assert {"run", "check", "outputs", "eval", "files", "executions"} <= set(words)


def test_only_the_installation_and_the_demo_need_the_network() -> None:
    left_out = [command for block in blocks(PAGE) if block.needs_network for command, _ in block.commands]
    assert left_out == [
        "python3 -m venv .venv", ". .venv/bin/activate", "pip install . ./plugins/*", "python -m core demo",
    ]  # fmt: skip


def test_every_block_is_a_file_or_commands() -> None:
    assert [block.text for block in blocks(PAGE) if not block.path and not block.commands] == []
