"""The tutorial's plugin, made of nothing but what the tutorial shows, in an environment of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, follow

PAGE = "tutorial/first-plugin.md"
DISTRIBUTIONS = (ROOT, *(path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))))
UNREACHABLE = (
    "dns error",
    "Failed to fetch",
    "ConnectionError",
    "NewConnectionError",
    "Could not connect",
    "timed out",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The variables of a shell in which a fresh environment is active."""
    place = tmp_path / "environment"
    if shutil.which("uv"):
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(place)], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TAILRACE_"))}
    return kept | {
        "PATH": f"{place / 'bin'}{os.pathsep}{kept['PATH']}",
        "VIRTUAL_ENV": str(place),
        "TAILRACE_HOME": str(tmp_path / "home"),
    }


def install(command: str) -> str:
    """The same installation, by uv where there is one, of this checkout's distributions."""
    words = shlex.split(command)
    if words[:2] != ["pip", "install"]:
        return command
    start = ["uv", "pip", "install", "--quiet"] if shutil.which("uv") else ["python", "-m", "pip", "install", "--quiet"]
    given = [part for word in words[2:] for part in (DISTRIBUTIONS if word == "tailrace[all]" else (word,))]
    return shlex.join([*start, *map(str, given)])


def followed(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Follow the page; skip when what has to be installed can't be reached."""
    try:
        yield from follow(blocks(PAGE), folder, environment, install)
    except AssertionError as error:
        said = str(error)
        if said.startswith("$ pip install") and any(sign in said for sign in UNREACHABLE):
            pytest.skip(f"the package index can't be reached: {said.splitlines()[-1]}")
        raise


def test_a_stranger_s_plugin_is_written_used_installed_and_tested(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "tailrace-shout"
    folder.mkdir()

    done = list(followed(folder, environment))

    assert [command for command in done if "install" not in command] == [
        "python -m core run flow.yaml --plugins-dir tailrace_shout",
        "python -m core check wrong.yaml --plugins-dir tailrace_shout",
        "python -m core plugins doc shout.Shout --plugins-dir tailrace_shout",
        "python -m core plugins list",
        "python -m core run flow.yaml -i name=Ada",
        "python -m core eval last 'outputs.loud.text'",
        "pytest -q",
        "pytest -q",
    ]


def test_it_is_as_short_as_is_promised() -> None:
    files = {block.path: block.text.splitlines()[1:] for block in blocks(PAGE) if block.path}
    lengths = {path: sum(bool(line.strip()) for line in lines) for path, lines in files.items()}
    assert lengths["tailrace_shout/tasks.py"] <= 25
    assert lengths["pyproject.toml"] == 10
    assert lengths["tests/test_tasks.py"] <= 8
