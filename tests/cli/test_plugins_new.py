"""`plugins new`: what it writes works as it stands."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.skeleton import write_plugin
from core.settings import Product

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def plugin(call: Run, tmp_path: Path) -> Path:
    code, out, _ = call("plugins", "new", "loud-voice", "--into", str(tmp_path))
    folder = tmp_path / "tailrace-loud-voice"

    assert (code, out.splitlines()[0]) == (0, f"{folder} is a plugin that works. From inside it:")
    return folder


def test_programs_get_the_folder_and_the_package(call: Run, tmp_path: Path) -> None:
    out = call("plugins", "new", "loud-voice", "--into", str(tmp_path), "--json")[1]

    assert json.loads(out) == {"folder": str(tmp_path / "tailrace-loud-voice"), "package": "tailrace_loud_voice"}


def test_the_project_file_is_ten_lines_and_names_the_module(plugin: Path) -> None:
    text = (plugin / "pyproject.toml").read_text()
    project = tomllib.loads(text)

    assert len(text.splitlines()) == 10
    assert project["project"]["entry-points"]["tailrace.plugins"] == {"loud-voice": "tailrace_loud_voice.tasks"}
    assert (plugin / "tailrace_loud_voice" / "tasks.py").is_file()


def test_its_own_test_passes(plugin: Path) -> None:
    text = (plugin / "tests" / "test_tasks.py").read_text()
    assert len([line for line in text.splitlines() if line]) <= 8

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml"],
        cwd=plugin, env={"PYTHONPATH": f"{plugin}:{ROOT}", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_its_flow_runs(plugin: Path, call: Run, tmp_path: Path) -> None:
    words = ["--home", str(tmp_path / "home"), "--plugins-dir", str(plugin / "tailrace_loud_voice")]

    assert call("run", str(plugin / "flow.yaml"), "--quiet", *words)[0] == 0
    assert call("eval", "last", "outputs.shout.text", *words)[1] == "HELLO\n"


def test_under_another_products_name_it_is_found_all_the_same(tmp_path: Path) -> None:
    folder = write_plugin("loud-voice", tmp_path, Product(name="acme-flow"))
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]

    assert (folder.name, project["dependencies"]) == ("acme-flow-loud-voice", ["acme-flow"])
    assert project["entry-points"] == {"tailrace.plugins": {"loud-voice": "acme_flow_loud_voice.tasks"}}
    assert (folder / "acme_flow_loud_voice" / "tasks.py").is_file()


def test_an_existing_folder_is_left_alone(plugin: Path, call: Run, tmp_path: Path) -> None:
    assert call("plugins", "new", "loud-voice", "--into", str(tmp_path)) == (
        1,
        "",
        f"error: {plugin}: the folder exists already\n  to do: choose another name, or --into DIR\n",
    )


@pytest.mark.parametrize("name", ["Loud", "1st", "a--b", "a_b", "../x", ""])
def test_a_name_that_cannot_be_one_is_refused(app: Any, call: Run, name: str) -> None:
    assert call("plugins", "new", name) == (
        2,
        "",
        f"error: `{name}` can't be a plugin's name\n  expected: small letters, digits and hyphens, such as shout\n",
    )
