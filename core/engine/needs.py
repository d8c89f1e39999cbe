"""What the expressions of a task name: so that a job carries what it reads and nothing else."""

from __future__ import annotations

from core import expressions
from core.errors import TailraceError
from core.model.data import data


@data
class Needs:
    """outputs: ids of the tasks whose outputs are read, None for all of them. tasks: those whose states are, the same.

    parents: whether the groups around the place are.
    """

    outputs: frozenset[str] | None
    tasks: frozenset[str] | None
    parents: bool = False


_NOTHING = Needs(frozenset(), frozenset())


def needs_of(values: object) -> Needs:
    """Of every text inside the values. What can't be parsed needs everything: its attempt will say what is wrong."""
    texts = _texts(values)
    if not texts:
        return _NOTHING
    named: dict[str, set[str]] = {"outputs": set(), "tasks": set()}
    wholly: set[str] = set()
    parents = False
    for text in texts:
        try:
            paths = expressions.named_paths(text)
        except TailraceError:
            return Needs(None, None, parents=True)
        for path in paths:
            root = path[0]
            if root is None:
                return Needs(None, None, parents=True)
            if root in ("parent", "parents"):
                parents = True
            elif root in named:
                if len(path) < 2 or path[1] is None:
                    wholly.add(str(root))
                else:
                    named[str(root)].add(str(path[1]))
    outputs, tasks = (None if root in wholly else frozenset(names) for root, names in named.items())
    return Needs(outputs, tasks, parents)


def _texts(values: object) -> list[str]:
    """The texts inside that may hold an expression, in any order."""
    found = []
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            if "{" in value:
                found.append(value)
        elif isinstance(value, (list, tuple)):
            stack.extend(filter(None, value))
        elif isinstance(value, dict):
            stack.extend(value)
            stack.extend(value.values())
    return found
