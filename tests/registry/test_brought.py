"""What plugins bring is remembered between starts, for as long as it is true."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from core.registry import load_registry
registry = load_registry(Path(sys.argv[1]), group="test.plugins")
print(json.dumps([
    "acme" in sys.modules, "pluggy" in sys.modules, sorted(entry.name for entry in registry.entries()),
    [plugin.error for plugin in registry.plugins()],
]))
"""
PLUGIN = """
from core.sdk.hooks import TypeRef, hookimpl
from acme.names import NAME

@hookimpl
def task_types():
    return (TypeRef("acme.tasks:Shout", NAME, aliases=("com.acme.Shout",), title="Shout."),)
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory with an installed plugin whose names stand in a module of their own."""
    site = tmp_path / "site"
    package = site / "acme"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN, "utf-8")
    (package / "names.py").write_text('NAME = "shout.Shout"\n', "utf-8")
    metadata = site / "acme-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: acme\nVersion: 1.0\n", "utf-8")
    (metadata / "entry_points.txt").write_text("[test.plugins]\nacme = acme\n", "utf-8")
    return site


def asked(site: Path) -> list[object]:
    """[whether the plugin was imported, whether pluggy was, the types, the errors] in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(site.parent / "plugins.json"), str(site)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[object] = json.loads(done.stdout)
    return found


def later(path: Path, text: str) -> None:
    """Write a file as an editor would, a moment later."""
    state = path.stat()
    path.write_text(text, "utf-8")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000))


def test_a_plugin_is_imported_once_and_then_remembered(site: Path) -> None:
    assert asked(site) == [True, True, ["shout.Shout"], [""]]
    assert asked(site) == [False, False, ["shout.Shout"], [""]]


def test_a_change_of_any_of_its_modules_is_seen(site: Path) -> None:
    asked(site)
    later(site / "acme" / "names.py", 'NAME = "shout.Louder"\n')
    assert asked(site) == [True, True, ["shout.Louder"], [""]]
    assert asked(site)[0] is False


def test_a_plugin_that_fails_is_asked_at_every_start(site: Path) -> None:
    (site / "acme" / "names.py").write_text("1 / 0\n", "utf-8")
    for _ in range(2):
        assert asked(site)[1:] == [True, [], ["ZeroDivisionError: division by zero"]]


def test_a_damaged_memory_counts_as_none(site: Path) -> None:
    asked(site)
    for text in ("", "{", '{"format": [1], "plugins": 3}', '{"format": [1, 1, 3, 11], "plugins": {"acme": [1]}}'):
        (site.parent / "brought.json").write_text(text, "utf-8")
        assert asked(site) == [True, True, ["shout.Shout"], [""]]
