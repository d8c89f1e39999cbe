"""Loops whose elements are items (the 2.x `flow.Loop`): `item`, and the outputs of the same iteration by plain name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.flow import Flow
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.model.nodes import Each, Step, children_of
from core.planner import ITEMS, TaskFacts

Answers = Mapping[EvaluationKey, tuple[Any, str]]


class Loops:
    """Which loops over values are around each task of a flow, the outermost first.

    A loop's `errors` and `finally` run once, so that it is not around them.
    """

    def __init__(self, flow: Flow) -> None:
        self.around: dict[str, tuple[str, ...]] = {}
        self._as_items: set[str] = set()
        top = (*children_of(flow.root), *flow.after_execution)
        stack: list[tuple[Step, tuple[str, ...]]] = [(step, ()) for step in top]
        while stack:
            step, loops = stack.pop()
            if loops:
                self.around[step.id] = loops
            inside: tuple[Step, ...] = ()
            if isinstance(step.node, Each):
                inside = step.node.children
                if step.node.as_items:
                    self._as_items.add(step.id)
            below = children_of(step.node)  # its tasks first; what follows is run once
            stack.extend((child, (*loops, step.id)) for child in below[: len(inside)])
            stack.extend((child, loops) for child in below[len(inside) :])

    def in_item(self, task_id: str) -> bool:
        """Whether the closest loop around a task has items."""
        loops = self.around.get(task_id)
        return loops is not None and loops[-1] in self._as_items

    def shared(self, name: str, key: TaskKey) -> tuple[str, ...] | None:
        """The values of the loops around `name` where they are around this place too, and it is one with items."""
        if not self.in_item(name):
            return None
        loops = self.around[name]
        here = self.around.get(key.task_id, ())
        return key.path[: len(loops)] if here[: len(loops)] == loops else None

    def item(self, key: TaskKey, tasks: Mapping[TaskKey, TaskFacts], answers: Answers) -> dict[str, Any] | None:
        """`item` as a place sees it: of the closest loop, those around it in `parents` and the next in `parent`."""
        return _item(self._entries(key, tasks, answers))

    def item_of(
        self, loop: TaskKey, number: int, name: str, tasks: Mapping[TaskKey, TaskFacts], answers: Answers
    ) -> dict[str, Any] | None:
        """`item` in an iteration of a loop, by its number and the name of its value."""
        return _item([_entry(loop, number, name, answers), *self._entries(loop, tasks, answers)])

    def _entries(self, key: TaskKey, tasks: Mapping[TaskKey, TaskFacts], answers: Answers) -> list[dict[str, Any]]:
        """Of the loops around a place, the closest first."""
        found: list[dict[str, Any]] = []
        task, here = tasks.get(key), key
        while task is not None:
            if task.iteration is not None and task.parent.task_id in self._as_items:
                found.append(_entry(task.parent, task.iteration, here.path[-1], answers))
            if task.parent == ROOT:
                break
            here, task = task.parent, tasks.get(task.parent)
        return found


def _item(entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not entries:
        return None
    item, *parents = entries
    return {**item, "parents": parents, **({"parent": parents[0]} if parents else {})}


def _entry(loop: TaskKey, index: int, name: str, answers: Answers) -> dict[str, Any]:
    items = answers.get(EvaluationKey(loop, ITEMS), (None, ""))[0]
    key, value = items[index] if items else (None, name)
    entry = {"value": value, "index": index}
    return entry if key is None else {**entry, "key": key}
