"""Problems of flows as people read them, and what they tell about a whole folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.loading.problems import Problem
from core.model.data import evolve


def is_error(problem: Problem) -> bool:
    """Whether it keeps the flow from running."""
    return problem.severity == "error"


def problem_text(problem: Problem) -> str:
    """`file:line:column: message`; what is not an error says what it is."""
    return str(problem) if is_error(problem) else str(evolve(problem, message=f"{problem.severity}: {problem.message}"))


def problem_object(problem: Problem) -> dict[str, Any]:
    """A problem as `--json` shows it."""
    return {
        "severity": problem.severity,
        "message": problem.message,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "expected": problem.expected,
        "hint": problem.hint,
        "kind": problem.kind,
    }


def unsupported(problems: Iterable[Problem]) -> list[tuple[str, int]]:
    """What flows use and this installation can't do: a type or a property, and in how many files; the most first."""
    files: dict[str, set[str]] = {}
    for problem in problems:
        if is_error(problem) and problem.kind in ("unknown", "unsupported"):
            files.setdefault(problem.subject, set()).add(problem.file)
    return sorted(((what, len(found)) for what, found in files.items()), key=lambda row: (-row[1], row[0]))
