"""What the expressions of a task name: so that a job carries what it reads and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from core import expressions
from core.errors import TailraceError
from core.model.data import data


@data
class Needs:
    """outputs: ids of the tasks whose outputs are read, None for all of them. tasks: whether states are asked for."""

    outputs: frozenset[str] | None
    tasks: bool


def needs_of(values: object) -> Needs:
    """Of every text inside the values. What can't be parsed needs everything: its attempt will say what is wrong."""
    outputs: set[str] = set()
    everything = tasks = False
    for text in _texts(values):
        try:
            paths = expressions.named_paths(text)
        except TailraceError:
            return Needs(None, tasks=True)
        for path in paths:
            if path[0] is None or (path[0] == "outputs" and (len(path) < 2 or path[1] is None)):
                everything = True
            elif path[0] == "outputs":
                outputs.add(str(path[1]))
            tasks = tasks or path[0] in ("tasks", None)
    return Needs(None if everything else frozenset(outputs), tasks)


def _texts(values: object) -> Iterable[str]:
    if isinstance(values, str):
        return (values,) if "{" in values else ()
    if isinstance(values, (list, tuple)):
        return [text for value in values for text in _texts(value)]
    if isinstance(values, dict):
        return [text for item in values.items() for text in _texts(item)]
    return ()
