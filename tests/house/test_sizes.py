"""What a reader holds in mind at once: 400 lines a file, 50 lines a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT, python_files, shown, tree

FILE_LINES = 400
FUNCTION_LINES = 50
LONGER_FILES: frozenset[str] = frozenset()
"""Paths that may be longer, for now. This set may only shrink."""
LONGER_FUNCTIONS: frozenset[str] = frozenset()
"""`path:function` that may be longer, for now. This set may only shrink."""

FILES = tuple(python_files("core", "plugins", "tests", "docs", ".ci"))


def functions(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Each function with its lines from `def` to the end: a table of cases above a test is no code."""
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_is_too_long() -> None:
    too_long = {shown(path) for path in FILES if lines(path) > FILE_LINES}
    assert too_long == LONGER_FILES, "split what is new here, and take off the list what is no longer too long"


def test_no_sql_file_is_too_long() -> None:
    assert [shown(path) for path in sorted((ROOT / "core").rglob("*.sql")) if lines(path) > FILE_LINES] == []


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{shown(path)}:{name}" for path in FILES for name, length in functions(tree(path)) if length > FUNCTION_LINES
    }
    assert too_long == LONGER_FUNCTIONS, "split what is new here, and take off the list what is no longer too long"


@pytest.mark.parametrize(
    ("source", "length"),
    [
        ("def f():\n    pass\n", 2),
        ("@a\n@b\ndef f():\n    '''Text.'''\n    return (\n        1\n    )\n", 5),
        ("class C:\n    async def f(self):\n        pass\n", 2),
    ],
)
def test_a_function_is_measured_from_its_def_to_its_end(source: str, length: int) -> None:
    assert list(functions(ast.parse(source))) == [("f", length)]


def test_the_files_looked_at_are_those_of_the_project() -> None:
    names = {shown(path) for path in FILES}
    assert {"core/errors.py", "core/planner/decide.py", "tests/house/test_sizes.py"} <= names
    assert len(names) > 300
