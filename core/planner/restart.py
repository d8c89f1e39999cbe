"""What goes on when an execution that has ended goes on: which task executions are kept, and which run again.

One function serves *continue* (the same execution) and *derive* (a new one, into which the engine has copied rows).
Walking down from the root, a group is *entered* when something below it is to run again; then its counters are made
anew from the rows of its children. What ran before under `errors`, `finally` and `afterExecution` of an entered group
counts no more. What runs again begins at a turn that no row has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from core.model.data import data
from core.model.decisions import ChangeEnd, Counters, RestartChild, RunTask
from core.model.messages import ROOT, RestartRequested, TaskKey
from core.model.nodes import Call, Choice, Dag, Each, Group, Parallel, Repeat, Sequence, Step, Wait, Work
from core.model.state import ENDED
from core.planner.draft import Draft
from core.planner.facts import VALUES, Facts, PastTask
from core.planner.groups import LATER, WINDOW, advance, block_ids, child_ended, group_around, open_step, worse
from core.planner.iterations import enter_iteration, keep_iteration, take_over
from core.planner.kinds import kind_of
from core.planner.starts import has_room, no_room

_GOOD = frozenset({"SUCCESS", "WARNING", "SKIPPED"})
NOTHING = "No task found to restart execution from!"
WAITING = "restart:"
"""Begins the note of an execution whose restart waits for a slot; the rest says which restart, as JSON."""


@data
class Continuation:
    """kept: what counts as it is. entered: groups on the way. again: what runs again in its own row."""

    kept: frozenset[TaskKey]
    entered: frozenset[TaskKey]
    again: frozenset[TaskKey]


def restart(draft: Draft, message: RestartRequested) -> None:
    """Decide a RestartRequested; `Facts.rows` holds every row of the execution."""
    if draft.state not in ENDED and draft.state != "CREATED":
        draft.rule("nothing to restart: the execution has not ended")
        return
    found = _Restart(draft, message)
    if found.is_needless and (message.what != "child" or draft.state in _GOOD):
        draft.rule(NOTHING)
    elif has_room(draft):
        found.run()
    else:
        _wait(draft, message)


def _wait(draft: Draft, message: RestartRequested) -> None:
    """No slot is free: the restart waits for one, or the execution ends, as its flow's limit says."""
    new = draft.facts.state == "CREATED"
    turn = _new_turn(draft)
    draft.count_anew(ROOT, Counters(turn=turn, turns=turn))
    no_room(draft, "" if new else "RESTARTED")
    if draft.state == "QUEUED":
        draft.count(ROOT).note = WAITING + json.dumps([new, message.what, message.tasks, message.state])


def _new_turn(draft: Draft) -> int:
    """A turn that no row of the execution has, and none of its loops has had."""
    root = draft.count(ROOT)
    turns = (max(row.key.turn, row.counters.turn if row.counters else 0) for row in draft.facts.rows)
    root.turns = max(turns, default=root.turns)
    return draft.next_turn()


def waits_to_restart(state: str, root: Counters) -> bool:
    """Whether an execution is queued for a restart, and not for its beginning: to begin it `Facts.rows` is needed."""
    return state == "QUEUED" and root.note.startswith(WAITING)


def begin_restart(draft: Draft) -> None:
    """Do what was waiting for a slot."""
    new, what, tasks, state = json.loads(draft.counters(ROOT).note.removeprefix(WAITING))
    keys = tuple(TaskKey(task_id, tuple(path), turn) for task_id, path, turn in tasks)
    _Restart(draft, RestartRequested(what, keys, state), new=new).run()


def continuation(facts: Facts, message: RestartRequested) -> Continuation:
    """What a restart would keep: what to copy into a derived execution, and what to tell people beforehand."""
    found = _Restart(Draft(facts, kind_of), message)
    if not found.is_needless:
        found.run()
    kept = frozenset(row.key for row in found.rows.values() if found.kept & set(found.above(row)))
    return Continuation(kept, frozenset(found.entered) - {ROOT}, frozenset(found.again))


class _Restart:
    """new: of an execution that has not begun; copies of another one's rows are all it has."""

    def __init__(self, draft: Draft, message: RestartRequested, *, new: bool = False) -> None:
        self.draft = draft
        self.new = new or draft.facts.state == "CREATED"
        self.message = message
        self.rows: dict[tuple[str, tuple[str, ...]], PastTask] = {}
        for row in draft.facts.rows:  # of one place only the latest counts
            known = self.rows.get(row.key[:2])
            if known is None or known.key.turn < row.key.turn:
                self.rows[row.key[:2]] = row
        self.by_key = {row.key: row for row in self.rows.values()}
        self.children: dict[TaskKey, list[PastTask]] = {}
        for row in self.rows.values():
            if row.key.task_id not in block_ids(draft, row.parent):
                self.children.setdefault(row.parent, []).append(row)
        self.kept: set[TaskKey] = set()
        self.again: set[TaskKey] = set()
        self.entered: dict[TaskKey, TaskKey] = {}
        self.turn = 0
        self.asked = self._asked()

    def _asked(self) -> frozenset[TaskKey]:
        """What is to run again, with the groups around it; where only what was allowed to has failed, that."""
        named = set(self.message.tasks)
        if self.message.what == "failed" and all(row.state in _GOOD for row in self.children.get(ROOT, ())):
            named |= {row.key for below in self.children.values() for row in below if row.state == "FAILED"}
        if self.message.what == "stale":
            named |= {row.key for row in self.by_key.values() if row.stale and not self.children.get(row.key)}
        rows = (self.by_key.get(key) or group_around(key, self.rows, self.draft.facts.steps) for key in named)
        return frozenset(above for row in rows if row is not None for above in self.above(row))

    def above(self, row: PastTask) -> Iterable[TaskKey]:
        """The row and the groups around it, innermost first."""
        key: TaskKey | None = row.key
        while key is not None and key in self.by_key:
            yield key
            key = self.by_key[key].parent

    @property
    def is_needless(self) -> bool:
        """Whether there is nothing to run again."""
        return not self.new and not self.asked and all(row.state in _GOOD for row in self.children.get(ROOT, ()))

    def run(self) -> None:
        draft = self.draft
        draft.rule(f"restart: {self.message.what}")
        self.turn = _new_turn(draft)
        draft.set_state("RUNNING", through="" if draft.facts.state == "QUEUED" else "RESTARTED")
        draft.note("")
        self._enter(ROOT, ROOT, draft.facts.counters)
        for key in reversed(list(self.entered)):
            if key == ROOT or draft.task(key) is not None:
                ended = advance(draft, key)
                if ended is not None and key != ROOT:
                    child_ended(draft, key, self.entered[key], ended)

    # -- groups

    def _needed(self, row: PastTask) -> bool:
        return row.state not in _GOOD or row.key in self.asked

    def _state(self, row: PastTask) -> str:
        """How a kept row counts; the one whose state somebody changes, as changed."""
        if self.message.what == "state" and row.key in self.message.tasks:
            self.draft.changes.append(ChangeEnd(row.key, self.message.state))
            return self.message.state
        return row.state

    def _keeps(self, row: PastTask) -> bool:
        return (self.message.what == "state" and row.key in self.message.tasks) or not self._needed(row)

    def _enter(self, key: TaskKey, parent: TaskKey, old: Counters) -> None:
        """Open a group again, with the counters its children's rows give it."""
        self.entered[key] = parent
        node: Any = self.draft.node(key)
        fresh = Counters(turn=self.turn, round=old.round, note=old.note if isinstance(node, Choice) else "")
        if key == ROOT:
            fresh.turns = self.turn
            self.draft.count_anew(ROOT, fresh)
        else:
            self.draft.reopen(key, parent, "RUNNING", fresh, iteration=self._iteration(key, parent))
        if isinstance(node, Each):
            self._each(key, node, old.turn)
        else:
            self._children(key, node)

    def _iteration(self, key: TaskKey, parent: TaskKey) -> int | None:
        if parent == ROOT or not isinstance(self.draft.node(parent), Each):
            return None
        values = self._values(parent)
        return values.index(key.path[-1]) if key.path[-1] in values else None

    def _values(self, key: TaskKey) -> list[str]:
        return list(self.draft.answer(key, VALUES) or ())

    def _children(self, key: TaskKey, node: Any) -> None:
        """Keep, and open again, among children that each have their place in a list."""
        steps: tuple[Step, ...] = getattr(node, "children", ())
        if isinstance(node, Choice):
            steps = node.branches.get(self.draft.counters(key).note, node.otherwise or ())
        rows = {row.key.task_id: row for row in self.children.get(key, ())}
        dropped = self._after(steps, node, rows)
        kept = shut = over = later = 0
        worst, running = "SUCCESS", 0
        limit = node.limit or WINDOW if isinstance(node, (Parallel, Dag)) else 1
        ready = [step for step in steps if step.id in rows and step.id not in dropped]
        for step in ready:
            if self._keeps(rows[step.id]):
                kept |= 1 << steps.index(step)
                self.kept.add(rows[step.id].key)
                worst = worse(worst, self._state(rows[step.id]))
        for step in ready:
            bit = 1 << steps.index(step)
            if kept & bit:
                continue
            if running >= limit or (isinstance(node, Dag) and self._blocked(node, step, kept)):
                later |= self._later(rows[step.id], key, step) << len(steps)
                continue
            ended = self._again(rows[step.id], key, step, None)
            shut, over = shut | bit, over | (bit if ended else 0)
            running += ended is None
            worst = worse(worst, ended or "SUCCESS")
        group = self.draft.count(key)
        group.running, group.worst, group.done = running, worst, kept | shut | later
        if isinstance(node, Dag):
            group.done, group.round = kept | over | later, kept | shut

    def _later(self, row: PastTask, parent: TaskKey, step: Step) -> bool:
        """Open a group whose turn comes later, with what is kept in it; False: it will be opened whole.

        Only where no more than what is stale is to run: what follows a task that has failed has not run yet, or runs
        again.
        """
        key, node = row.key, step.node
        opens = isinstance(node, (Sequence, Parallel, Dag, Choice, Each)) and self._worth_entering(row, node)
        if self.message.what != "stale" or not opens:
            return False
        self.entered[key] = parent
        note = row.counters.note if row.counters is not None and isinstance(node, Choice) else ""
        fresh = Counters(phase=LATER, turn=self.turn, note=note)
        self.draft.reopen(key, parent, "RUNNING", fresh, iteration=self._iteration(key, parent))
        if isinstance(node, Each):
            done, worst = self._later_each(key, node, row.counters.turn if row.counters else 0)
        else:
            done, worst = self._later_children(key, node, note)
        group = self.draft.count(key)
        group.worst, group.done, group.round = worst, done, done if isinstance(node, Dag) else 0
        return True

    def _later_children(self, key: TaskKey, node: Any, branch: str) -> tuple[int, str]:
        """(the bits of `Counters.done`, the worst end of what is kept)"""
        choice = isinstance(node, Choice)
        steps: tuple[Step, ...] = node.branches.get(branch, node.otherwise or ()) if choice else node.children
        rows = {row.key.task_id: row for row in self.children.get(key, ())}
        kept, later, worst = 0, False, "SUCCESS"
        for at, step in enumerate(steps):
            row = rows.get(step.id)
            if row is not None and self._keeps(row):
                kept |= 1 << at
                self.kept.add(row.key)
                worst = worse(worst, row.state)
            elif row is not None:
                later |= self._later(row, key, step)
        return kept | later << len(steps), worst

    def _later_each(self, key: TaskKey, node: Each, before: int) -> tuple[int, str]:
        """The same for a loop: whole elements are kept; one of which a part is stale runs whole again."""
        ids = [step.id for step in node.children if not step.disabled]
        rows = {(row.key.path[-1], row.key.task_id): row for row in self.children.get(key, ())}
        done, worst = 0, "SUCCESS"
        for number, value in enumerate(self._values(key)):
            found = [rows.get((value, name)) for name in ids]
            whole = [row for row in found if row is not None and self._keeps(row)]
            kept = whole if node.side_by_side or len(whole) == len(ids) else []
            if kept and not take_over(self.draft, key, node, number, before, [row.state for row in kept]):
                kept = []
            for row in kept:
                place = number * len(ids) + ids.index(row.key.task_id) if node.side_by_side else number
                done |= 1 << place
                self.kept.add(row.key)
                worst = worse(worst, row.state)
        return done, worst

    def _after(self, steps: tuple[Step, ...], node: Any, rows: Mapping[str, PastTask]) -> set[str]:
        """The ids of children that follow what is to run again, for a restart that begins at a task."""
        if self.message.what != "from" or isinstance(node, Parallel):
            return set()
        reached = {step.id for step in steps if step.id in rows and rows[step.id].key in self.asked}
        dropped: set[str] = set()
        ids = [step.id for step in steps]
        before = node.after if isinstance(node, Dag) else {name: ids[:at] for at, name in enumerate(ids)}
        while more := {name for name, others in before.items() if not reached.isdisjoint(others)} - dropped:
            reached, dropped = reached | more, dropped | more
        return dropped

    def _blocked(self, node: Dag, step: Step, kept: int) -> bool:
        bits = {one.id: 1 << at for at, one in enumerate(node.children) if not one.disabled}
        return any(name in bits and not kept & bits[name] for name in node.after.get(step.id, ()))

    def _each(self, key: TaskKey, node: Each, before: int) -> None:
        """Keep whole elements; go on in those that stood at a child; leave the others to the loop. before: its turn."""
        values = self._values(key)
        ids = [step.id for step in node.children if not step.disabled]
        by_value: dict[str, dict[str, PastTask]] = {}
        for row in self.children.get(key, ()):
            by_value.setdefault(row.key.path[-1], {})[row.key.task_id] = row
        shut, late = 0, False
        group = self.draft.count(key)
        group.round = 0
        size = len(ids) if node.side_by_side else 1
        before_it: frozenset[str] | None = None
        for number, value in enumerate(values):
            rows = by_value.get(value)
            if rows is None:
                continue
            if before_it is not None:
                self.kept |= {row.key for name, row in rows.items() if name in before_it and self._keeps(row)}
                continue
            before_it = self._begins_in(ids, rows, node)
            places = self._stops(ids, rows, node)
            states = [self._state(row) for row in rows.values() if row.key in self.kept]
            for state in states:
                group.worst = worse(group.worst, state)
            for at, again in enumerate(places):
                bit = 1 << (number * size + at)
                if again is None:
                    shut |= bit
                    keep_iteration(self.draft, key, node, number, before, states)
                elif group.running >= (node.limit or WINDOW):
                    late = True
                else:
                    ended = self._element(key, node, value, number, again, rows)
                    shut, group.worst = shut | bit, worse(group.worst, ended or "SUCCESS")
                    group.running += ended is None
                    enter_iteration(self.draft, key, node, number, states, ended, TaskKey(again, (*key.path, value)))
        begun = shut.bit_length()
        whole = not late and shut == (1 << begun) - 1
        group.cursor, group.done = (begun, 0) if whole else (0, shut)

    def _begins_in(self, ids: list[str], rows: Mapping[str, PastTask], node: Each) -> frozenset[str] | None:
        """Where a restart begins at a task of this element, and elements run one after another: the ids of the
        children before it. The elements behind follow, so they run again; as in the reference, what stood before the
        task in them stays readable until then. None: the elements behind are as any others.
        """
        if self.message.what != "from" or node.limit != 1 or node.side_by_side:
            return None
        at = next((at for at, name in enumerate(ids) if name in rows and rows[name].key in self.asked), None)
        return None if at is None else frozenset(ids[:at])

    def _stops(self, ids: list[str], rows: Mapping[str, PastTask], node: Each) -> list[str | None]:
        """Per place of the cursor in an element: the id of the child where it goes on, or None when it is kept."""
        places: list[str | None] = []
        for name in ids:
            row = rows.get(name)
            if row is not None and self._keeps(row):
                self.kept.add(row.key)
                places.append(None)
            else:
                places.append(name)
                if not node.side_by_side:
                    return [name]
        return places if node.side_by_side else [None]

    def _element(
        self, key: TaskKey, node: Each, value: str, number: int, name: str, rows: Mapping[str, PastTask]
    ) -> str | None:
        step = next(step for step in node.children if step.id == name)
        if name in rows:
            return self._again(rows[name], key, step, number)
        return open_step(self.draft, step, key, (*key.path, value), self.turn, number)

    # -- what runs again

    def _again(self, row: PastTask, parent: TaskKey, step: Step, iteration: int | None) -> str | None:
        """Enter a group of which something is to be kept; else let the task run again, in its row if that is open."""
        key, node = row.key, step.node
        leaf = isinstance(node, (Work, Call, Group))
        if not leaf and self._worth_entering(row, node):
            self._enter(key, parent, row.counters or Counters())
            return None
        if not self.new and (not leaf or row.state in _GOOD or not row.attempts):
            return open_step(self.draft, step, parent, key.path, self.turn, iteration)
        self.again.add(key)
        fresh = Counters(turn=self.turn)
        if isinstance(node, Work):
            self.draft.reopen(key, parent, "RUNNING", None, attempt=True, attempts=row.attempts, iteration=iteration)
            self.draft.effects.append(RunTask(key))
            return None
        self.draft.reopen(key, parent, "RUNNING", fresh, attempt=leaf, attempts=row.attempts, iteration=iteration)
        if isinstance(node, Call) and node.restart_child and row.attempts and not self.new:  # a copy has no children
            times = max(row.counters.round if row.counters else 1, 1)
            self.draft.count_anew(key, Counters(times, times, turn=self.turn, round=times))
            self.draft.effects.append(RestartChild(key))
            return None
        return self.draft.kind(type(node)).start(self.draft, key, node)

    def _worth_entering(self, row: PastTask, node: Any) -> bool:
        """Whether rows below it say where it stood. A named group, and one that failed by itself, runs whole again."""
        below = self.children.get(row.key, ())
        if not below or (self.message.what == "from" and row.key in self.message.tasks):
            return False
        if isinstance(node, (Repeat, Wait)) and all(child.state in _GOOD for child in below):
            return any(child.key in self.asked for child in below)
        return True
