"""Time, chance, the environment and the terminal have one place each; errors are caught by their names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest

from tests.house.sources import ROOT, shipped_files, shown, tree

LINT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]

BANNED = {
    "datetime.date.today", "datetime.datetime.now", "datetime.datetime.utcnow", "os.environ", "os.getenv", "os.urandom",
    "random", "secrets", "time.time", "time.time_ns", "uuid.uuid1", "uuid.uuid4",
}  # fmt: skip
ELSEWHERE = {
    "core/app/compose.py": ["PLC0415"],
    "core/engine/clock.py": ["TID251"],
    "core/settings.py": ["TID251"],
    "core/cli/output.py": ["T201"],
    "core/testing/*": ["TID251"],
}
"""Where one of these rules of ruff does not hold, of all that is shipped."""

BROAD = {
    "core/app/serving.py": 1,
    "core/cli/main.py": 1,
    "core/engine/deciding.py": 2,
    "core/engine/engine.py": 1,
    "core/engine/serving.py": 3,
    "core/registry/load.py": 1,
    "core/work/attempt.py": 2,
    "core/work/context.py": 1,
    "core/work/evaluate.py": 1,
    "core/work/left.py": 1,
}
"""How many handlers catch whatever a plugin raises, and go on; in the command line what the program itself did wrong;
in an engine that serves whatever is wrong with one execution, since the others go on.

Each says why in its line.
"""


def test_ruff_knows_what_is_banned() -> None:
    assert set(LINT["flake8-tidy-imports"]["banned-api"]) == BANNED
    assert {"TID25", "T20", "PLC0415", "BLE"} <= set(LINT["select"])
    assert not {"TID251", "T201", "PLC0415", "BLE001"} & set(LINT["ignore"])


def test_only_the_named_places_are_exempt() -> None:
    exempt = {place: rules for place, rules in LINT["per-file-ignores"].items() if place.startswith("core")}
    assert exempt == ELSEWHERE


def test_no_line_is_exempt_from_a_ban() -> None:
    """Such a comment would make a second place."""
    found = [
        f"{shown(path)}:{number}"
        for path in shipped_files()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"#\s*noqa(?!:)|#\s*noqa:.*\b(TID251|T201)\b|#\s*ruff:\s*noqa", line)
    ]
    assert found == []


def test_ruff_finds_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def broad_handlers(module: ast.Module) -> Iterator[int]:
    """Lines of `except:`, `except Exception` and `except BaseException` that don't end by raising (anew, or from it)."""
    for node in ast.walk(module):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
            last = node.body[-1]
            raises_again = isinstance(last, ast.Raise) and (last.exc is None or last.cause is not None)
            if (node.type is None or names & {"Exception", "BaseException"}) and not raises_again:
                yield node.lineno


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except: pass", [3]),
        ("except Exception: pass", [3]),
        ("except (OSError, BaseException) as error: print(error)", [3]),
        ("except BaseException:\n    undo()\n    raise", []),
        ("except Exception as error:\n    raise Ours() from error", []),
        ("except Exception:\n    raise Ours()", [3]),
        ("except ValueError: pass", []),
    ],
)
def test_a_broad_handler_is_found(handler: str, found: list[int]) -> None:
    assert list(broad_handlers(ast.parse(f"try:\n    pass\n{handler}\n"))) == found


def test_broad_handlers_stand_only_where_a_plugin_is_called() -> None:
    found = {shown(path): len(list(broad_handlers(tree(path)))) for path in shipped_files()}
    assert {path: count for path, count in found.items() if count} == BROAD


def test_each_broad_handler_says_why() -> None:
    for name in BROAD:
        source = (ROOT / name).read_text("utf-8")
        for number in broad_handlers(ast.parse(source)):
            line = source.splitlines()[number - 1]
            assert re.search(r"# noqa: BLE001 [#-] \w.{20,}", line), f"{name}:{number} has no reason"
