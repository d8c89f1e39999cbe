"""Who may import whom: import-linter keeps the contracts of pyproject.toml, and the contracts say what they should."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from tests.house.sources import PLUGINS, ROOT, package_of, python_files, shipped_files, shown, tree

LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
CONTRACTS: dict[str, dict[str, Any]] = {contract["name"]: contract for contract in LINTER["contracts"]}
PACKAGES = [package_of(plugin) for plugin in PLUGINS]
ENGINE_PACKAGES = ["tailrace_records_postgres", "tailrace_server"]
"""Those that extend the engine itself."""
THIRD_DOOR = {
    "core.records", "core.records.database", "core.records.guards", "core.records.locks", "core.records.product",
    "core.records.spans",
}  # fmt: skip
"""What a record store over another database of SQL is made of: its door, and the parts that a start need not load."""
TASK_PACKAGES = [name for name in PACKAGES if name not in ENGINE_PACKAGES]

LAYERS = """
__main__ → cli | testing → app → engine | work | builtin → settings → loading
         → planner | records | registry | expressions → host → sdk → model → errors
"""
FIRST_DOOR = {"core.sdk", "core.model", "core.errors"}
"""What a plugin may reach: the door, and what is behind it."""


def parts_of_core() -> set[str]:
    """`core.app`, `core.errors`, …: packages and modules directly in the core."""
    found = (path for path in (ROOT / "core").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists())
    return {f"core.{path.stem}" for path in found if path.stem not in ("__init__", "__main__")}


def imports_of(folder: Path, package: str) -> Iterator[str]:
    """The modules of a package that the shipped files below a folder import."""
    for path in folder.glob("*/**/*.py"):
        if "tests" not in path.parts:
            for node in ast.walk(tree(path)):
                if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{package}."):
                    yield str(node.module)


def test_every_contract_is_kept() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in ended.stdout


def test_the_layers_are_those_of_the_design() -> None:
    contract = CONTRACTS["Each layer imports only what stands below it"]
    assert contract["layers"] == [" ".join(layer.split()) for layer in LAYERS.split("→")]
    assert contract["containers"] == ["core"]
    assert contract["exhaustive"] is True


def test_typing_only_imports_count_too() -> None:
    assert LINTER.get("exclude_type_checking_imports", False) is False
    exempt = {name: contract["ignore_imports"] for name, contract in CONTRACTS.items() if "ignore_imports" in contract}
    assert exempt == {}


def test_no_cycle_is_allowed_anywhere() -> None:
    contract = CONTRACTS["No cycles between siblings, anywhere"]
    assert (contract["type"], contract["ancestors"]) == ("acyclic_siblings", ["core", "core.**"])


def imported_by(path: Path) -> set[str]:
    """The modules of ours that a file names, those included that it imports by name when they are needed."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
            found |= {name.value for name in node.args if isinstance(name, ast.Constant)}
    return found


def test_no_file_imports_what_imports_it_late_imports_counted() -> None:
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in python_files("core")}
    TopologicalSorter({name: imported_by(path) & set(files) for name, path in files.items()}).prepare()


def test_the_far_side_never_sees_the_near_side() -> None:
    contract = CONTRACTS["The far side of the seam never sees the near side"]
    assert contract["source_modules"] == ["core.work"]
    assert set(contract["forbidden_modules"]) >= {"core.records", "core.planner", "core.loading", "core.settings"}
    assert not contract.get("allow_indirect_imports", False)


def test_deciding_is_pure() -> None:
    contract = CONTRACTS["Deciding is pure"]
    assert contract["source_modules"] == ["core.planner", "core.model"]
    assert set(contract["forbidden_modules"]) >= {"sqlite3", "subprocess", "threading", "time", "random", "uuid", "os"}


def test_plugins_see_only_the_first_door() -> None:
    contract = CONTRACTS["Task plugins, the built-in one included, see only the first door"]
    assert contract["source_modules"] == ["core.builtin", *TASK_PACKAGES]
    assert set(contract["forbidden_modules"]) == parts_of_core() - FIRST_DOOR - {"core.builtin"}
    assert not contract.get("allow_indirect_imports", False)


def test_plugins_name_what_is_behind_the_door_only_through_it() -> None:
    contract = CONTRACTS["Plugins name the model and the errors only through the door"]
    assert contract["source_modules"] == TASK_PACKAGES
    assert set(contract["forbidden_modules"]) == FIRST_DOOR - {"core.sdk"}


def test_servers_and_record_stores_see_both_doors() -> None:
    contract = CONTRACTS["Servers and record stores see both doors; a record store also what stores are made of"]
    assert contract["source_modules"] == ENGINE_PACKAGES
    assert set(contract["forbidden_modules"]) == parts_of_core() - {"core.sdk", "core.host", "core.records"}
    door = set(imports_of(ROOT / "plugins" / "records-postgres", "core.records"))
    assert door == THIRD_DOOR
    alone = CONTRACTS["The server knows records only through the services"]
    assert (alone["source_modules"], alone["forbidden_modules"]) == (["tailrace_server"], ["core.records"])


def test_every_plugin_is_looked_at() -> None:
    assert LINTER["root_packages"] == ["core", *PACKAGES]


def imports_of_own_package(path: Path, module: ast.Module) -> Iterator[str]:
    """Imports by which a submodule reaches up to the package it is in (`core.sdk` from within `core/sdk`)."""
    above = [*path.relative_to(ROOT).with_suffix("").parts[:-1]]
    own = {".".join(above[:length]) for length in range(1, len(above) + 1)}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in own)
        elif isinstance(node, ast.ImportFrom) and node.module in own:
            submodules = [ROOT / Path(*node.module.split(".")) / alias.name for alias in node.names]
            if not all(file.is_dir() or file.with_suffix(".py").exists() for file in submodules):
                yield node.module


def test_no_submodule_imports_its_package_root() -> None:
    found = {shown(path): list(imports_of_own_package(path, tree(path))) for path in shipped_files()}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from core.sdk import prop", ["core.sdk"]),
        ("from core.sdk import context", []),
        ("from core.sdk.context import Log", []),
        ("import core", ["core"]),
        ("from core.model import Flow", []),
    ],
)
def test_an_import_of_the_own_package_is_found(source: str, found: list[str]) -> None:
    assert list(imports_of_own_package(ROOT / "core/sdk/tasks.py", ast.parse(source))) == found


def test_imports_are_absolute() -> None:
    relative = [
        f"{shown(path)}:{node.lineno}"
        for path in shipped_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
