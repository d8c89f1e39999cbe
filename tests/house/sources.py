"""What the house rules look at: the project's own files, read once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGINS = tuple(sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml")))
_UNWATCHED = {".git", ".venv", "build", "dist", "node_modules", "__pycache__"}


def package_of(plugin: Path) -> str:
    """The import package of a first-party plugin: `plugins/jdbc-duckdb` → `tailrace_jdbc_duckdb`."""
    return "tailrace_" + plugin.name.replace("-", "_")


def shown(path: Path) -> str:
    """A path as people write it: below the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python file below folders of the root, in order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not _UNWATCHED & set(path.relative_to(ROOT).parts):
                yield path


def shipped_files() -> Iterator[Path]:
    """The Python files that people install: the core and the packages of the plugins, without any tests."""
    yield from python_files("core", *(f"plugins/{plugin.name}/{package_of(plugin)}" for plugin in PLUGINS))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def tracked_files() -> Iterator[Path]:
    """What git keeps, new files that it does not ignore included; in an unpacked archive everything there is."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0 and (ROOT / ".git").exists():
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not _UNWATCHED & set(path.relative_to(ROOT).parts)]
    yield from sorted(path for path in paths if path.is_file())
