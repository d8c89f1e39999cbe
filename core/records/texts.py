"""The small JSON texts inside rows, written by hand: they are made for every task; and parts of statements."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.host.records import TaskIdentity
from core.model.decisions import Counters
from core.model.messages import TaskKey

MAX_SUMMARY_VALUES = 32
MAX_SUMMARY_TEXT = 200
_LARGE = 2**53
_AS_ALWAYS = tuple(vars(Counters()).values())
_REST = _AS_ALWAYS[4:]
_RUNNING = '["RUNNING",'


def path_text(key: TaskKey) -> str:
    return json.dumps(key.path) if key.path else "[]"


def key_of(name: str, path: str, turn: int) -> TaskKey:
    """The key whose path `path_text` wrote."""
    return TaskKey(name, tuple(json.loads(path)) if path != "[]" else (), turn)


def counters_text(counters: Counters | None) -> str | None:
    """A list of the fields; those at the end that have their defaults are left out, but for the first four."""
    if counters is None:
        return None
    rest = (counters.turn, counters.round, counters.done, counters.note, counters.turns)
    if rest == _REST:
        return f'[{counters.cursor},{counters.running},"{counters.worst}","{counters.phase}"]'
    values: list[object] = [counters.cursor, counters.running, counters.worst, counters.phase, *rest]
    while values[-1] == _AS_ALWAYS[len(values) - 1]:
        values.pop()
    if counters.done >= _LARGE:  # a bit for each of many children: too long for a decimal number
        values[6] = hex(counters.done)
    return json.dumps(values, separators=(",", ":"))


def counters_of(text: str | None) -> Counters | None:
    if text is None:
        return None
    values = json.loads(text)
    if len(values) > 6 and isinstance(values[6], str):
        values[6] = int(values[6], 16)
    return Counters(*values)


def history_text(state: str, at: int, through: str = "") -> str:
    """What follows the history so far, whose closing bracket is dropped."""
    return "".join(f',["{one}",{at}]' for one in (*through.split(), state)) + "]"


def first_running(history: str, *, restarted: bool = False) -> int | None:
    """When it was RUNNING first; restarted: since it was last restarted. Lists read many, and need no more of it."""
    start = history.rfind('["RESTARTED",') if restarted else 0
    place = history.find(_RUNNING, max(start, 0))
    return None if place < 0 else int(history[place + len(_RUNNING) : history.index("]", place)])


def attempt_text(identity: TaskIdentity, state: str, started: int, ended: int | None) -> str:
    shown = "null" if ended is None else ended
    return f'[{identity.attempt},"{identity.attempt_id}","{state}",{started},{shown}]'


def in_namespaces(values: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
    """Exact names, or with `.*` at the end the name and everything below it: SQL and its values."""
    parts: list[str] = []
    bound: list[Any] = []
    for value in dict.fromkeys(values):
        if value.endswith(".*"):
            base = value[:-2]
            parts.append("namespace = ? OR (namespace >= ? AND namespace < ?)")
            bound += [base, base + ".", base + "/"]
        else:
            parts.append("namespace = ?")
            bound.append(value)
    return f"({' OR '.join(parts)})", tuple(bound)


def marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def scalars(summary: Mapping[str, Any]) -> list[tuple[str, str | None, float | None]]:
    """(path, text, number) of what lists can be filtered by: the first scalars, of maps within maps too.

    Longer texts are no values to look for; a number that can't be compared is neither.
    """
    found: list[tuple[str, str | None, float | None]] = []
    for path, value in _flat("", summary):
        if isinstance(value, str) and len(value) <= MAX_SUMMARY_TEXT:
            found.append((path, value, None))
        elif isinstance(value, (int, float)):
            found.append((path, None, _number(value)))
        if len(found) == MAX_SUMMARY_VALUES:
            break
    return found


def _flat(before: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, (str, int, float)) or not isinstance(value, Mapping):
            yield before + name, value
        else:
            yield from _flat(f"{before}{name}.", value)


def _number(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return None if math.isnan(number) else number
