"""Rows of an execution's inbox as messages for the planner, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core.errors import Conflict
from core.host.requests import Request, SetLabels
from core.model.codec import decode
from core.model.messages import (
    ChildEnded,
    EndRequested,
    ForceRunRequested,
    KillRequested,
    Message,
    PauseRequested,
    RestartRequested,
    ResumeRequested,
    SlotFree,
    Started,
    TaskKey,
)  # fmt: skip
from core.model.state import ENDED

URGENT = ("kill", "end")
"""These overtake what was sent before them."""
RESTARTED = "system.restarted"


def message_of(kind: str, payload_json: str, execution_id: str) -> Message:
    """What a row says. Raises Conflict for one that a newer version has written."""
    made = _KINDS.get(kind)
    if made is None:
        raise Conflict(
            f"the message `{kind}` in the inbox of {execution_id} is of a newer version",
            hint="upgrade this installation",
        )
    return made(decode(payload_json))


Row = tuple[int, str, str, str]
"""(number, execution, kind, payload), the numbers in the order in which they were sent."""


def in_order(rows: Sequence[Row]) -> Iterator[tuple[Row, tuple[int, ...]]]:
    """Rows as they are decided, each with the numbers of those that it answers.

    What is urgent overtakes the others. A restart that was sent before what stops all is answered by that: done after
    it, it would begin the execution anew.
    """
    stops = {row[1]: row[0] for row in rows if stops_all(row[2], row[3])}
    late = [row for row in rows if row[2] == "restart" and row[0] < stops.get(row[1], 0)]
    for row in sorted((row for row in rows if row not in late), key=lambda row: row[2] not in URGENT):
        answered = [one[0] for one in late if one[1] == row[1]] if stops.get(row[1]) == row[0] else ()
        yield row, (row[0], *answered)


def stops_all(kind: str, payload_json: str) -> bool:
    """Whether a row stops all that runs."""
    return kind == "kill" or (kind == "end" and bool(decode(payload_json).get("stop")))


def files_of(kind: str, payload_json: str) -> tuple[tuple[str, int, str], ...]:
    """Files that a message names, as (URI, size, sha256): the execution uses them from then on."""
    if kind != "resume":
        return ()
    return tuple((uri, size, sha256) for uri, size, sha256 in decode(payload_json).get("files") or ())


def requests_of(message: Message, state: str) -> tuple[Request, ...]:
    """What is to be written with the answer besides: an execution that is restarted says so by a label.

    state: of the execution when the message is read.
    """
    restarted = isinstance(message, RestartRequested) and message.what in ("failed", "child") and state in ENDED
    return (SetLabels({RESTARTED: "true"}),) if restarted else ()


def key_json(key: TaskKey) -> list[Any]:
    """A task execution's key as it stands in payloads."""
    return [key.task_id, list(key.path), key.turn]


def read_key(written: Any) -> TaskKey:
    """The key that `key_json` wrote."""
    task_id, path, turn = written
    return TaskKey(task_id, tuple(path), turn)


def restart_json(what: str, tasks: tuple[TaskKey, ...] = (), state: str = "") -> str:
    """The payload of a `restart`."""
    return json.dumps({"what": what, "tasks": [key_json(key) for key in tasks], "state": state})


def _resume(payload: Mapping[str, Any]) -> Message:
    key = payload.get("task")
    return ResumeRequested(payload.get("inputs") or {}, read_key(key) if key else None, payload.get("by") or "")


def _restart(payload: Mapping[str, Any]) -> Message:
    tasks = tuple(read_key(key) for key in payload.get("tasks", ()))
    return RestartRequested(payload.get("what", "failed"), tasks, payload.get("state", ""))


def _child_ended(payload: Mapping[str, Any]) -> Message:
    return ChildEnded(
        read_key(payload["task"]), payload["execution_id"], payload["state"], payload.get("error", ""), payload["index"]
    )


def _end(payload: Mapping[str, Any]) -> Message:
    return EndRequested(payload["state"], payload.get("error", ""), bool(payload.get("stop")))


_KINDS: dict[str, Callable[[Mapping[str, Any]], Message]] = {
    "start": lambda payload: Started(),
    "kill": lambda payload: KillRequested(),
    "pause": lambda payload: PauseRequested(),
    "resume": _resume,
    "restart": _restart,
    "force_run": lambda payload: ForceRunRequested(),
    "end": _end,
    "child_ended": _child_ended,
    "slot_free": lambda payload: SlotFree(),
}
