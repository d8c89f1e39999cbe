"""The small JSON texts inside rows, written by hand: they are made for every task."""

from __future__ import annotations

import json

from core.host.records import TaskIdentity
from core.model.decisions import Counters
from core.model.messages import TaskKey

_LARGE = 2**53
_REST = Counters()[4:]


def path_text(key: TaskKey) -> str:
    return json.dumps(key.path) if key.path else "[]"


def key_of(name: str, path: str, turn: int) -> TaskKey:
    """The key whose path `path_text` wrote."""
    return TaskKey(name, tuple(json.loads(path)) if path != "[]" else (), turn)


def counters_text(counters: Counters | None) -> str | None:
    """A list of the fields; those at the end that have their defaults are left out, but for the first four."""
    if counters is None:
        return None
    if counters[4:] == _REST:
        return f'[{counters.cursor},{counters.running},"{counters.worst}","{counters.phase}"]'
    values: list[object] = list(counters)
    while values[-1] == Counters()[len(values) - 1]:
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
    before = f',["{through}",{at}]' if through else ""
    return f'{before},["{state}",{at}]]'


def attempt_text(identity: TaskIdentity, state: str, started: int, ended: int | None) -> str:
    shown = "null" if ended is None else ended
    return f'[{identity.attempt},"{identity.attempt_id}","{state}",{started},{shown}]'
