"""The floor of the loop benchmark: what no planner of Python can go far below.

It knows three shapes (a sequence, a loop with a limit, work), and everything it is told, knows and answers is a tuple
or in a dict. It does decide: which iteration and which task of it begin and end, in which state, that a failure stops
what follows, how many run at once, when the loop and the execution are over. There are no conditions, retries, pauses,
kills, restarts, other shapes, names of rules, nor anybody who could take over.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Key = tuple[str, tuple[str, ...]]
"""A task, and the values of the loops around it."""
Counters = tuple[int, int, str]
"""Of a group: which child is next, how many run, the worst state so far."""
Task = tuple[Key | None, str, Counters | None, int]
"""Its parent, its state, its counters if it is a group, the number of its iteration."""
Node = tuple[str, tuple[str, ...], tuple[str, ...], int]
"""`work`, `sequence` or `each`; the names of its children; of a loop the values, and how many run at once."""
Nodes = dict[str, Node]
Tasks = dict[Key, Task]
Change = tuple[Any, ...]

ROOT: Key = ("", ())
FRESH: Counters = (0, 0, "SUCCESS")


def decide(nodes: Nodes, tasks: Tasks, message: tuple[Any, ...]) -> tuple[list[Change], list[Key]]:
    """What changes: ("open", key, task), ("count", key, counters), ("end", key, state); and what is to be run."""
    changes: list[Change] = []
    runs: list[Key] = []
    if message[0] == "started":
        changes.append(("open", ROOT, (None, "RUNNING", FRESH, 0)))
        _advance(nodes, ROOT, FRESH, None, changes, runs)
        return changes, runs
    key, state = message[1], message[2]
    while key in tasks:  # else it came too late
        parent, _, _, iteration = tasks[key]
        changes.append(("end", key, state))
        if parent is None:
            break
        cursor, running, worst = tasks[parent][2] or FRESH
        counters = (cursor, running - 1, state if state != "SUCCESS" else worst)
        ended = _advance(nodes, parent, counters, (key, iteration), changes, runs)
        if ended is None:
            break
        key, state = parent, ended
    return changes, runs


def _advance(
    nodes: Nodes, key: Key, counters: Counters, child: tuple[Key, int] | None, changes: list[Change], runs: list[Key]
) -> str | None:
    """Open what can be opened in a group now that a child of it has ended; the state it has ended in, if it has."""
    kind, children, values, limit = nodes[key[0]]
    cursor, running, worst = counters
    if worst == "SUCCESS" and kind == "each":
        if child is not None and child[0][0] != children[-1]:
            following = children[children.index(child[0][0]) + 1]
            running += _open(nodes, (following, child[0][1]), key, child[1], changes, runs)
        while running < limit and cursor < len(values):
            running += _open(nodes, (children[0], (*key[1], values[cursor])), key, cursor, changes, runs)
            cursor += 1
    elif worst == "SUCCESS":
        while running < 1 and cursor < len(children):
            running += _open(nodes, (children[cursor], key[1]), key, 0, changes, runs)
            cursor += 1
    if not running:
        return worst
    changes.append(("count", key, (cursor, running, worst)))
    return None


def _open(nodes: Nodes, key: Key, parent: Key, iteration: int, changes: list[Change], runs: list[Key]) -> int:
    """How many run more. (A group whose first child can't begin is not among these flows.)"""
    work = nodes[key[0]][0] == "work"
    changes.append(("open", key, (parent, "RUNNING", None if work else FRESH, iteration)))
    if work:
        runs.append(key)
    else:
        _advance(nodes, key, FRESH, None, changes, runs)
    return 1


def apply(tasks: Tasks, changes: list[Change]) -> None:
    """Make a decision true for the next one."""
    for what, key, value in changes:
        if what == "open":
            tasks[key] = value
        elif what == "count":
            parent, state, _, iteration = tasks[key]
            tasks[key] = (parent, state, value, iteration)
        else:
            del tasks[key]


def loop(values: Sequence[str], limit: int) -> Nodes:
    """The flow of the benchmark."""
    return {"": ("sequence", ("each",), (), 1), "each": ("each", ("one",), tuple(values), limit), "one": ("work", (), (), 1)}


def decided(nodes: Nodes) -> int:
    """Decide a whole run in which every task succeeds; how many tasks ran."""
    tasks: Tasks = {}
    messages: deque[tuple[Any, ...]] = deque([("started",)])
    ran = 0
    while messages:
        changes, runs = decide(nodes, tasks, messages.popleft())
        apply(tasks, changes)
        ran += len(runs)
        messages.extend(("ended", key, "SUCCESS") for key in runs)
    assert not tasks
    return ran


class Kept:
    """The same with a row for each task, in a table with one index, and a commit for all that was told at once."""

    def __init__(self, directory: Path) -> None:
        self._db = sqlite3.connect(directory / "floor.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("CREATE TABLE tasks (seq INTEGER PRIMARY KEY, name TEXT, path TEXT, state TEXT, counters TEXT)")
        self._db.execute("CREATE UNIQUE INDEX tasks_by_key ON tasks (name, path)")

    def run(self, nodes: Nodes) -> int:
        """As `decided`."""
        tasks: Tasks = {}
        told: list[tuple[Any, ...]] = [("started",)]
        ran = 0
        while told:
            running: list[Key] = []
            self._db.execute("BEGIN IMMEDIATE")
            for message in told:
                changes, runs = decide(nodes, tasks, message)
                self._write(changes)
                apply(tasks, changes)
                running += runs
            self._db.execute("COMMIT")
            ran += len(running)
            told = [("ended", key, "SUCCESS") for key in running]
        assert not tasks
        return ran

    def _write(self, changes: list[Change]) -> None:
        for what, (name, path), value in changes:
            place = (name, json.dumps(path))
            if what == "open":
                row = (*place, value[1], json.dumps(value[2]))
                self._db.execute("INSERT INTO tasks (name, path, state, counters) VALUES (?, ?, ?, ?)", row)
            elif what == "count":
                self._db.execute("UPDATE tasks SET counters = ? WHERE name = ? AND path = ?", (json.dumps(value), *place))
            else:
                self._db.execute("UPDATE tasks SET state = ? WHERE name = ? AND path = ?", (value, *place))

    def close(self) -> None:
        self._db.close()
