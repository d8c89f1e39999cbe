"""The how-to pages and the README do what they say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, follow

PAGES = sorted(path.name for path in (ROOT / "docs" / "how-to").glob("*.md"))
TOLD = {"use-a-private-docker-registry.md", "work-offline.md", "README.md"}
"""Pages about what a test has not: another registry, a machine without a network."""


@pytest.mark.parametrize("page", ["../README.md", *(f"how-to/{page}" for page in PAGES if page not in TOLD)])
def test_every_command_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAILRACE_", "SECRET_"))}
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TAILRACE_HOME": str(tmp_path / "home"),
    }
    (tmp_path / "work").mkdir()

    assert list(follow(blocks(page), tmp_path / "work", environment)) != []


def test_the_others_have_no_commands_to_follow() -> None:
    assert {page for page in TOLD for block in blocks(f"how-to/{page}") if block.commands} == set()
