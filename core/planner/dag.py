"""A Dag: children in the order of what each waits for."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.model.messages import TaskKey
from core.model.nodes import Dag
from core.planner.draft import Draft, Kind
from core.planner.groups import FATAL, WINDOW, go_on_or_open, open_step, start_group, worse


class _Links(NamedTuple):
    """What waits for what, found out once. Children are numbered as they are written, and are bits of whole numbers.

    needs, frees: of each child, those that it waits for, and those that wait for it.
    """

    numbers: dict[str, int]
    disabled: int
    needs: list[int]
    frees: list[int]


def run_dag(draft: Draft, key: TaskKey, node: Any, child: TaskKey | None) -> bool:
    """Open what waits for nothing any more. done: a bit per child that is over or was never to run.

    The cursor counts; it is no index. A child is open when its bit in `round` is set.
    """
    group = draft.count(key)
    links = _links(draft, key, node)
    ended = links.numbers.get(child.task_id) if child is not None else None
    group.done |= links.disabled | (0 if ended is None else 1 << ended)
    if ended is not None and group.running + 1 < (node.limit or WINDOW):
        _open(draft, key, node, links, links.frees[ended])
        if group.running:
            return True
    # As it begins, or after the limit may have held others back; and before it ends, whatever a restart has left.
    _open(draft, key, node, links, ((1 << len(node.children)) - 1) & ~(group.round | group.done))
    return group.running > 0


def _open(draft: Draft, key: TaskKey, node: Dag, links: _Links, look: int) -> None:
    """Those among the bits of `look` that wait for nothing, and what they free by ending at once."""
    group, limit = draft.count(key), node.limit or WINDOW
    opens = go_on_or_open if group.done >> len(node.children) else open_step
    at = 0
    while look and group.running < limit and group.worst not in FATAL:
        ahead = look >> at
        if not ahead:
            at = 0  # what ended at once has freed one before it
            continue
        at += (ahead & -ahead).bit_length() - 1
        bit = 1 << at
        look ^= bit
        if links.needs[at] & ~group.done or (group.round | group.done) & bit:
            continue
        group.round, group.cursor = group.round | bit, group.cursor + 1
        state = opens(draft, node.children[at], key, key.path, group.turn)
        if state is None:
            group.running += 1
        else:
            group.worst, group.done, look = worse(group.worst, state), group.done | bit, look | links.frees[at]


def _links(draft: Draft, key: TaskKey, node: Dag) -> _Links:
    known: _Links | None = draft.facts.derived.get(key.task_id)
    if known is None:
        numbers = {step.id: at for at, step in enumerate(node.children)}
        disabled = sum(1 << at for at, step in enumerate(node.children) if step.disabled)
        needs, frees = [0] * len(numbers), [0] * len(numbers)
        for at, step in enumerate(node.children):
            for name in node.after.get(step.id, ()):
                if name in numbers:
                    needs[at] |= 1 << numbers[name]
                    frees[numbers[name]] |= 1 << at
        known = draft.facts.derived[key.task_id] = _Links(numbers, disabled, needs, frees)
    return known


DAG = Kind(start_group, run_dag)
