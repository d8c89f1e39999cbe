"""Writes one execution into a record store step by step, as an engine would: for tests of stores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from core.host.records import (
    ExecutionIdentity,
    NewExecution,
    OpenExecution,
    RecordStore,
    Refused,
    TaskIdentity,
    Unit,
)  # fmt: skip
from core.host.seam import LogLine, TaskResult
from core.model.codec import encode
from core.model.data import evolve
from core.model.decisions import (
    Change,
    ChangeEnd,
    Counters,
    Decision,
    EndTask,
    GiveOutput,
    Guard,
    HoldTask,
    MoveExecution,
    MoveTask,
    OpenTask,
    ReopenTask,
)  # fmt: skip
from core.model.messages import ROOT, TaskKey

ACME = "acme"
OTHER = "other"
ENGINE = "engine-1"
TEAM = "company.team"
_OF_TASKS = (OpenTask, MoveTask, HoldTask, EndTask, ReopenTask, ChangeEnd, GiveOutput)


class Story:
    """One execution, created and (unless `claimed` is False) claimed by `ENGINE`. Its clock moves with each commit.

    more: other fields of NewExecution.
    """

    def __init__(
        self,
        store: RecordStore,
        name: str = "e1",
        *,
        organization: str = ACME,
        namespace: str = TEAM,
        flow_id: str = "flow",
        inputs: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        files: tuple[tuple[str, int, str], ...] = (),
        at: int = 1000,
        claimed: bool = True,
        engine: str = ENGINE,
        **more: Any,
    ) -> None:
        self.store = store
        self.at = at
        self.fence = 0
        self.identity = ExecutionIdentity(name, organization, namespace, flow_id, 1)
        self.names: dict[TaskKey, TaskIdentity] = {}
        self.created = store.create_execution(NewExecution(
            name, organization, namespace, flow_id, 1, encode(inputs or {}), labels or {}, files, self.at, **more
        ))  # fmt: skip
        if claimed:
            self.fence = store.claim(name, engine).fence

    @property
    def id(self) -> str:
        return self.identity.id

    def found(self) -> OpenExecution:
        """What the next owner finds; the story goes on as that one's."""
        opened = self.store.claim(self.id, ENGINE)
        self.fence = opened.fence
        return opened

    def identity_of(self, key: TaskKey) -> TaskIdentity:
        """A name for a task execution: the same one every time."""
        if key not in self.names:
            own = f"{self.id}-{key.task_id}" + "".join(f"-{value}" for value in key.path)
            own += f"-turn-{key.turn}" if key.turn else ""
            self.names[key] = TaskIdentity(own, "debug.Return", None, 1, f"{own}-attempt-1")
        return self.names[key]

    def unit(self, *changes: Change, guards: tuple[Guard, ...] = (), fence: int | None = None, **more: Any) -> Unit:
        """A unit with these changes; everything else of it by name."""
        self.at += 10
        named = {change.key: self.identity_of(change.key) for change in changes if isinstance(change, _OF_TASKS)}
        decision = Decision(changes, guards=guards)
        fence = self.fence if fence is None else fence
        return Unit(self.identity, fence, decision, self.at, named, **more)

    def commit(self, *changes: Change, **more: Any) -> tuple[Refused, ...]:
        return self.store.commit([self.unit(*changes, **more)])

    def move(self, state: str, error: str = "", **more: Any) -> tuple[Refused, ...]:
        """The execution enters a state."""
        return self.commit(MoveExecution(state, Counters(), error, entered=True), **more)

    def open(self, name: str, path: tuple[str, ...] = (), turn: int = 0, parent: TaskKey = ROOT) -> TaskKey:
        """A task begins with its first attempt."""
        key = TaskKey(name, path, turn)
        if parent != ROOT:
            own = self.identity_of(key)
            self.names[key] = evolve(own, parent_id=self.identity_of(parent).id)
        self.commit(OpenTask(key, parent, "RUNNING", attempt=True))
        return key

    def group(self, name: str, path: tuple[str, ...] = ()) -> TaskKey:
        """A group begins."""
        key = TaskKey(name, path)
        self.names[key] = evolve(self.identity_of(key), attempt=0, attempt_id="")
        self.commit(OpenTask(key, ROOT, "RUNNING", Counters()))
        return key

    def next_attempt(self, key: TaskKey) -> TaskIdentity:
        """The identity of a task execution with its next attempt."""
        known = self.identity_of(key)
        number = known.attempt + 1
        self.names[key] = evolve(known, attempt=number, attempt_id=f"{known.id}-attempt-{number}")
        return self.names[key]

    def result(self, key: TaskKey, output: object = None, state: str = "SUCCESS", **more: Any) -> TaskResult:
        """What an executor would say of the task's attempt."""
        text = None if output is None else encode(output)
        data = (text or "").encode()
        known: dict[str, Any] = {} if text is None else {
            "output": text, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "preview": text[:300],
        }  # fmt: skip
        attempt = self.identity_of(key).attempt_id
        return TaskResult(attempt, state, self.at + 1, self.at + 5, **{**known, **more})

    def end(
        self, key: TaskKey, output: object = None, state: str = "SUCCESS", error: str = "", **more: Any
    ) -> tuple[Refused, ...]:
        """A task ends with a result."""
        result = self.result(key, output, state, error=error, **more)
        return self.commit(EndTask(key, state, error), results={key: result})

    def run(
        self, name: str, output: object = None, state: str = "SUCCESS", *, path: tuple[str, ...] = (), turn: int = 0,
        parent: TaskKey = ROOT, **more: Any,
    ) -> str:  # fmt: skip
        """A task begins and ends; the id of its task execution."""
        key = self.open(name, path, turn, parent)
        self.end(key, output, state, **more)
        return self.identity_of(key).id

    def log(self, key: TaskKey, *lines: tuple[str, str]) -> None:
        """(level, message) lines of a task."""
        identity = self.identity_of(key)
        self.commit(logs=[(key, identity, LogLine(identity.attempt_id, self.at, level, text)) for level, text in lines])

    def finish(self, state: str = "SUCCESS") -> None:
        """The execution ends, and its owner lets it go."""
        self.move(state)
        self.store.release(self.id, self.fence)
