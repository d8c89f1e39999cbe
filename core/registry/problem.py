"""What is wrong with given values: collected all together, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from core.errors import ConversionError
from core.model.data import data, evolve

Path = tuple[str | int, ...]
_SHOWN = 60


@data
class PropertyProblem:
    """One thing that is wrong. path: from the values' root, names in YAML and positions in lists.

    severity: an error stops the flow, a warning (a deprecated property) does not. kind: what is wrong with the name of
    a property; "" when it is the value.
    """

    path: Path
    message: str
    expected: str = ""
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
    kind: Literal["", "unknown", "deprecated", "twice"] = ""


class Mismatch(Exception):
    """Values that can't be converted; raised inside the registry only. Paths begin at the value that was converted."""

    def __init__(self, problems: Iterable[PropertyProblem]) -> None:
        super().__init__("values that can't be converted")
        self.problems = tuple(problems)

    @property
    def harmless(self) -> bool:
        """Whether there are only warnings."""
        return all(problem.severity == "warning" for problem in self.problems)

    def below(self, key: str | int) -> Iterable[PropertyProblem]:
        """The problems as seen from the map or list that holds the value."""
        return (evolve(problem, path=(key, *problem.path)) for problem in self.problems)


def mismatch(value: object, expected: str, example: str = "", hint: str = "") -> Mismatch:
    """The error for one value that is not what it should be."""
    wanted = f"{expected}, {example}" if example else expected
    return Mismatch([PropertyProblem((), f"{shown(value)} is not {expected}", wanted, hint)])


def shown(value: object) -> str:
    """A value in a message: short ones as they are, others by what they are."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if len(text) <= _SHOWN else f"`{text[:_SHOWN]}…`"


def path_text(path: Path, root: str = "$") -> str:
    """`("headers", "X-Id", 0)` → `$.headers["X-Id"][0]`."""
    return root + "".join(
        f"[{key}]" if isinstance(key, int) else f".{key}" if key.isidentifier() else f'["{key}"]' for key in path
    )


def conversion_error(problems: tuple[PropertyProblem, ...], root: str) -> ConversionError:
    """One error that says everything that is wrong."""
    if len(problems) == 1:
        only = problems[0]
        return ConversionError(only.message, where=path_text(only.path, root), expected=only.expected, hint=only.hint)
    lines = [f"{len(problems)} properties are wrong"]
    for problem in problems:
        repeated = problem.message.endswith(f" {problem.expected}")
        notes = [f"expected: {problem.expected}"] if problem.expected and not repeated else []
        notes += [f"to do: {problem.hint}"] if problem.hint else []
        tail = f" ({'; '.join(notes)})" if notes else ""
        lines.append(f"  {path_text(problem.path, root)}: {problem.message}{tail}")
    return ConversionError("\n".join(lines), where=root)
