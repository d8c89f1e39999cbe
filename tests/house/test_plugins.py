"""What every first-party plugin has: an entry point, a README, tests, and a module that imports nothing heavy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from inspect import cleandoc
from pathlib import Path
from typing import Any

import pytest

from core.builtin import task_runners, task_types, triggers
from core.registry import Registry, load_registry
from core.registry.entries import TypeEntry
from tests.house.sources import PLUGINS, ROOT, package_of, python_files, tree

ROOT_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FIRST_PARTY = {"builtin", *(plugin.name for plugin in PLUGINS)}
REGISTRY: Registry = load_registry(None)
ENTRIES = tuple(entry for entry in REGISTRY.entries() if entry.plugin in FIRST_PARTY)

IMPORTED_AS = {"attrs": "attr", "markdown-it-py": "markdown_it", "ruamel-yaml": "ruamel", "ruamel-yaml-clib": "ruamel"}
"""Modules whose names are not those of their distributions."""
NOT_IMPORTED = {
    "pytz": "duckdb imports it for times with a zone",
}
"""Dependencies that no line of ours imports, and what they are for. This list may only shrink."""

every_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
every_type = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def project_of(plugin: Path) -> dict[str, Any]:
    read: dict[str, Any] = tomllib.loads((plugin / "pyproject.toml").read_text("utf-8"))
    return read


@every_plugin
def test_its_names_follow_from_its_folder(plugin: Path) -> None:
    project = project_of(plugin)["project"]
    assert project["name"] == f"tailrace-{plugin.name}"
    assert project["entry-points"] == {"tailrace.plugins": {plugin.name: package_of(plugin)}}
    assert "tailrace" in project["dependencies"]
    assert project["requires-python"] == ROOT_PROJECT["project"]["requires-python"]


@every_plugin
def test_it_belongs_to_all(plugin: Path) -> None:
    name = f"tailrace-{plugin.name}"
    assert name in ROOT_PROJECT["project"]["optional-dependencies"]["all"]
    assert ROOT_PROJECT["tool"]["uv"]["sources"][name] == {"workspace": True}


@every_plugin
def test_it_has_tests(plugin: Path) -> None:
    assert list((plugin / "tests").glob("test_*.py")) != []


@every_plugin
def test_its_readme_names_what_it_brings(plugin: Path) -> None:
    readme = (plugin / "README.md").read_text("utf-8")
    info = next(info for info in REGISTRY.plugins() if info.name == plugin.name)
    assert info.error == ""
    assert readme.startswith(f"# tailrace-{plugin.name}\n")
    assert info.brings != ()
    assert [name for name in info.brings if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("package", ["core.builtin", *map(package_of, PLUGINS)])
def test_its_module_imports_nothing_but_the_door(package: str) -> None:
    program = (
        "import sys, core.sdk.hooks\n"
        "before = set(sys.modules)\n"
        f"import {package}\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [package]


def test_what_is_depended_on_is_imported() -> None:
    unused = set()
    for folder, project in [("core", ROOT_PROJECT), *((f"plugins/{one.name}", project_of(one)) for one in PLUGINS)]:
        imported = imported_by(folder)
        for requirement in project["project"]["dependencies"]:
            name = re.split(r"[^\w.-]", requirement)[0].lower().replace(".", "-")
            if name != "tailrace" and IMPORTED_AS.get(name, name) not in imported:
                unused.add(name)
    assert unused == set(NOT_IMPORTED), "take off the list what is imported now, and depend on nothing that is not"


def imported_by(folder: str) -> set[str]:
    """The top-level modules that the files of a folder import anywhere, `attrs` under its older name."""
    found = set()
    for path in python_files(folder):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return {"attr" if name == "attrs" else name for name in found}


@every_type
def test_what_is_said_of_a_type_without_importing_it_is_true(entry: TypeEntry) -> None:
    cls = REGISTRY.resolve(entry.name)
    assert (cls.type, cls.aliases) == (entry.name, entry.aliases)
    assert entry.title == cleandoc(cls.__doc__ or "").partition("\n")[0]
    assert f"{cls.__module__}:{cls.__qualname__}" == entry.target


@every_type
def test_a_type_has_the_name_of_the_reference_as_an_alias(entry: TypeEntry) -> None:
    assert any(alias.startswith("io.kestra.") for alias in entry.aliases)


def test_the_built_in_plugin_uses_the_same_hooks_as_a_strangers() -> None:
    declared = [ref.name for ref in (*task_types(), *task_runners(), *triggers())]
    assert sorted(declared) == sorted(entry.name for entry in ENTRIES if entry.plugin == "builtin")


def test_every_folder_of_plugins_is_installed() -> None:
    assert {info.name for info in REGISTRY.plugins()} >= FIRST_PARTY
    assert len(ENTRIES) >= 14
