"""The import budget of the command line, by name: what a command loads is what its user waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HEAVY = (
    # third-party, each for one use
    "attr", "attrs", "cattr", "cattrs", "docker", "duckdb", "httpx", "jinja2", "jq", "requests", "rich", "tqdm",
    # of the standard library
    "asyncio", "concurrent.futures", "csv", "dataclasses", "email", "hashlib", "http", "http.client",
    "importlib.metadata", "importlib.resources", "inspect", "logging", "multiprocessing", "shutil", "socket", "ssl",
    "subprocess", "tempfile", "uuid", "xml", "zipfile", "zoneinfo",
)  # fmt: skip
"""What no start pays for. An installed plugin brings names only, so none of what the plugins need is here either."""

PAID = {"_ruamel_yaml", "core", "ruamel"}
"""Third-party packages (and our own) that running a plain flow may import; plugins come on top by their names."""

PLAIN = "id: plain\nnamespace: house\ntasks:\n  - {id: say, type: debug.Return, format: hello}\n"
WITH_EXPRESSION = PLAIN.replace("hello", '"{{ flow.id | upper }}"').replace("id: plain", "id: with_expression")

LISTING = """
import json, sys
before = set(sys.modules)
from core.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(set(sys.modules) - before)]))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warm home, with the flows beside it: what is asked once after an installation has been asked."""
    home = tmp_path_factory.mktemp("home")
    (home / "plain.yaml").write_text(PLAIN, encoding="utf-8")
    (home / "expression.yaml").write_text(WITH_EXPRESSION, encoding="utf-8")
    _imported(home, "run", str(home / "plain.yaml"), "--label", "warm=up")
    return home


@cache
def _imported(home: Path, *words: str) -> frozenset[str]:
    """The modules that a command of a fresh process has imported at its end."""
    environment = {**os.environ, "TAILRACE_HOME": str(home)}
    ended = subprocess.run(
        [sys.executable, "-c", LISTING, *words], capture_output=True, text=True, check=True, timeout=120,
        env=environment,
    )  # fmt: skip
    code, modules = json.loads(ended.stdout.splitlines()[-1])
    assert code == 0, ended.stdout + ended.stderr
    return frozenset(modules)


def _third_party(modules: frozenset[str]) -> set[str]:
    roots = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    return {name for name in roots if "cython" not in name}  # what Cython adds inside of libyaml's module


@pytest.mark.parametrize(
    "words",
    [
        ("run", "plain.yaml", "--quiet"),
        ("run", "plain.yaml", "--json"),
        ("run", "expression.yaml", "--quiet"),
        ("check", "plain.yaml"),
        ("check", "expression.yaml"),
        ("outputs", "list"),
        ("executions", "list"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(home: Path, words: tuple[str, ...]) -> None:
    located = [str(home / word) if word.endswith(".yaml") else word for word in words]

    assert sorted(_imported(home, *located) & set(HEAVY)) == []


def test_a_warm_start_imports_no_plugin_that_the_flow_does_not_use(home: Path) -> None:
    imported = _third_party(_imported(home, "run", str(home / "plain.yaml"), "--quiet"))
    assert {name for name in imported if name.startswith("tailrace_")} == {"tailrace_storage_local"}


def test_a_plain_flow_imports_these_packages_and_no_others(home: Path) -> None:
    imported = _third_party(_imported(home, "run", str(home / "plain.yaml"), "--quiet"))

    assert {name for name in imported if not name.startswith("tailrace_")} == PAID


def test_of_a_plugin_that_is_not_used_only_its_names_are_imported(home: Path) -> None:
    imported = _imported(home, "run", str(home / "plain.yaml"), "--quiet")
    used = ("tailrace_storage_local",)

    parts = {name for name in imported if name.startswith("tailrace_") and "." in name}
    assert sorted(name for name in parts if not name.startswith(used)) == []


def test_the_language_of_expressions_is_imported_by_the_first_expression(home: Path) -> None:
    plain = _imported(home, "run", str(home / "plain.yaml"), "--quiet")
    with_expression = _imported(home, "run", str(home / "expression.yaml"), "--quiet")

    language = {"core.expressions.bodies", "core.expressions.compiler", "core.expressions.parser"}
    assert sorted(plain & language) == []
    assert sorted(with_expression & language) == sorted(language)


def test_of_the_library_only_the_subject_of_a_filter_is_imported(home: Path) -> None:
    modules = _imported(home, "run", str(home / "expression.yaml"), "--quiet")

    library = {name for name in modules if name.startswith("core.expressions.library.")}
    assert library == {"core.expressions.library.declare", "core.expressions.library.texts"}


def test_help_opens_nothing(home: Path) -> None:
    """It names the commands of plugins as well: what they bring is remembered, and none is imported."""
    imported = _imported(home, "--help")

    assert sorted(imported & {"core.app", "core.loading", "core.records", "pluggy", "ruamel.yaml", "sqlite3"}) == []


def test_only_help_and_commands_of_others_look_at_what_plugins_bring(home: Path) -> None:
    assert "core.cli.installed" in _imported(home, "--help")
    assert "core.cli.installed" not in _imported(home, "run", str(home / "plain.yaml"), "--quiet")


def test_the_door_of_expressions_gives_every_name_it_lists() -> None:
    """Each from its module: nothing of them is imported when the door is."""
    code = (
        "import sys; from core import expressions\n"
        "print(sorted(name for name in sys.modules if name.startswith('core.expressions.')))\n"
        "print([name for name in expressions.__all__ if not hasattr(expressions, name)])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout == "[]\n[]\n"
