"""Writes units: the changes of a decision, with what belongs to them, under its guards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from core.host.records import Refused, TaskIdentity, Unit
from core.host.seam import Read, TaskResult
from core.model.codec import encode
from core.model.decisions import (
    Counters,
    EndTask,
    FreeSlot,
    KeyAbsent,
    MoveExecution,
    MoveTask,
    OpenTask,
    Remember,
    VersionIs,
)  # fmt: skip
from core.model.messages import TaskKey
from core.model.state import ENDED
from core.records.database import Database

MAX_SUMMARY_VALUES = 32
FENCE = "the execution has another owner"
TWICE = "this was decided before"


class GuardError(Exception):
    """A guard did not hold; the unit is undone."""


class Writer:
    """Applies units inside one transaction of a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def commit(self, units: Sequence[Unit]) -> tuple[Refused, ...]:
        """Write all units in one transaction; a unit whose guard does not hold is undone alone."""
        if len(units) == 1:
            return self._commit_one(units[0])
        refused = []
        with self._db.writing():
            for unit in units:
                self._db.execute("SAVEPOINT unit")
                try:
                    self._unit(unit)
                except GuardError as error:
                    self._db.execute("ROLLBACK TO unit")
                    refused.append(Refused(unit.execution.id, str(error)))
                self._db.execute("RELEASE unit")
        return tuple(refused)

    def _commit_one(self, unit: Unit) -> tuple[Refused, ...]:
        """The common case: the transaction itself is undone, no savepoint is needed."""
        try:
            with self._db.writing():
                self._unit(unit)
        except GuardError as error:
            return (Refused(unit.execution.id, str(error)),)
        return ()

    def _unit(self, unit: Unit) -> None:
        self._guards(unit)
        for change in unit.decision.changes:
            if isinstance(change, EndTask):
                self._end(unit, change)
            elif isinstance(change, OpenTask):
                self._open(unit, change)
            elif isinstance(change, MoveTask):
                self._move(unit, change)
            elif isinstance(change, Remember):
                self._remember(unit, change)
        for key, identity, line in unit.logs:
            self._db.write("insert_log", (
                unit.execution.organization_id, unit.execution.id, identity.id if identity else None,
                key.task_id or None, identity.attempt if identity else None, line.at, line.level, line.message,
            ))  # fmt: skip
        for identity, metric in unit.metrics:
            self._db.write("insert_metric", (
                unit.execution.organization_id, unit.execution.id, identity.id, metric.at, metric.name, metric.kind,
                metric.value, json.dumps(dict(metric.tags)) if metric.tags else "{}",
            ))  # fmt: skip
        for seq in unit.done:
            self._db.write("inbox_done", (unit.at, seq))

    # -- guards

    def _guards(self, unit: Unit) -> None:
        moved = next((change for change in unit.decision.changes if isinstance(change, MoveExecution)), None)
        held = self._move_execution(unit, moved) if moved else self._holds_fence(unit)
        if not held:
            raise GuardError(FENCE)
        organization = unit.execution.organization_id
        for guard in unit.decision.guards:
            if isinstance(guard, FreeSlot):
                flow = (organization, guard.namespace, guard.flow_id, unit.execution.id)
                if self._db.write("running_executions", flow).fetchone()[0] >= guard.limit:
                    raise GuardError(f"no free slot in {guard.namespace}.{guard.flow_id}")
            elif isinstance(guard, KeyAbsent):
                if self._db.write("kv_exists", (organization, guard.namespace, guard.key)).fetchone():
                    raise GuardError(f"key {guard.key} exists")
            elif isinstance(guard, VersionIs):
                values = (unit.execution.id, guard.key.task_id, _path(guard.key), guard.key.turn)
                row = self._db.write("output_version", values).fetchone()
                if row is None or row[0] != guard.version:
                    raise GuardError(f"{guard.key.task_id} has another version")

    def _holds_fence(self, unit: Unit) -> bool:
        return self._db.write("holds_fence", (unit.execution.id, unit.fence)).fetchone() is not None

    def _move_execution(self, unit: Unit, change: MoveExecution) -> bool:
        counters = _counters(change.counters)
        if not change.entered:
            return self._db.write("move_execution", (counters, unit.execution.id, unit.fence)).rowcount == 1
        ended = unit.at if change.state in ENDED else None
        return self._db.write("enter_execution", (
            change.state, counters, change.error or None, _history(change.state, unit.at), unit.outputs_json,
            unit.at, ended, unit.execution.id, unit.fence,
        )).rowcount == 1  # fmt: skip

    # -- changes

    def _open(self, unit: Unit, change: OpenTask) -> None:
        place, identity, at = unit.execution, unit.tasks[change.key], unit.at
        states = ["CREATED"] if change.state == "CREATED" else ["CREATED", change.state]
        attempts = f"[{_attempt(identity, 'RUNNING', at, None)}]" if change.attempt else "[]"
        row = (
            identity.id, place.organization_id, place.id, place.namespace, place.flow_id, place.flow_revision,
            change.key.task_id, identity.type, _path(change.key), change.key.turn,
            change.key.path[-1] if change.key.path else None, identity.parent_id, change.state,
            "[" + ",".join(f'["{state}",{at}]' for state in states) + "]", attempts,
            _counters(change.counters), at, at,
        )  # fmt: skip
        try:
            self._db.write("open_task", row)
        except sqlite3.IntegrityError:  # its key is unique
            raise GuardError(TWICE) from None

    def _move(self, unit: Unit, change: MoveTask) -> None:
        identity = unit.tasks[change.key]
        if not change.entered:
            self._db.write("move_task", (_counters(change.counters), unit.at, identity.id))
            return
        attempt = _attempt(identity, "RUNNING", unit.at, None) if change.attempt else None
        self._db.write("enter_task", (
            change.state, _counters(change.counters), unit.at, _history(change.state, unit.at), attempt, attempt,
            identity.id,
        ))  # fmt: skip

    def _end(self, unit: Unit, change: EndTask) -> None:
        identity, at = unit.tasks[change.key], unit.at
        entered = (change.state, change.error or None, at, at, _history(change.state, at))
        result = unit.results.get(change.key)
        if result is None:
            if self._db.write("end_task", (*entered, identity.id)).rowcount != 1:
                raise GuardError(TWICE)
            return
        attempt = _attempt(identity, result.state, result.started_at, result.ended_at)
        row = self._db.write("end_task_with_result", (
            *entered, identity.attempt, attempt, attempt, result.note or None, result.properties_hash or None,
            encode(result.summary) if result.summary else None, result.size, result.sha256, result.output_uri,
            result.preview, identity.id,
        )).fetchone()  # fmt: skip
        if row is None:
            raise GuardError(TWICE)
        self._result(unit, identity, result, row[0])

    def _result(self, unit: Unit, identity: TaskIdentity, result: TaskResult, seq: int) -> None:
        organization = unit.execution.organization_id
        if result.output is not None:
            self._db.write("insert_body", (identity.id, organization, result.output))
        for path, value in list(result.summary.items())[:MAX_SUMMARY_VALUES]:
            if isinstance(value, (str, int, float)):
                text, number = (value, None) if isinstance(value, str) else (None, _number(value))
                self._db.write("insert_summary_value", (organization, identity.id, path, text, number, seq))
        self._reads(unit, identity.id, result.reads)
        for uri, size, sha256 in result.files:
            self._db.write("insert_file", (organization, uri, size, sha256, unit.at))
            self._db.write("use_file", (organization, unit.execution.id, uri))
        for request in result.requests:
            values = (organization, request.namespace, request.key, request.value_json, unit.at, unit.at)
            self._db.write("set_kv", values)

    def _remember(self, unit: Unit, change: Remember) -> None:
        key, place = change.key, unit.execution
        value = None if change.error else encode(change.value)
        self._db.write("insert_evaluation", (
            place.organization_id, place.id, key.task.task_id, _path(key.task), key.task.turn, key.purpose, key.round,
            value, change.error or None, unit.at,
        ))  # fmt: skip
        reader = "/".join((place.id, key.task.task_id, *key.task.path, key.purpose, str(key.round)))
        self._reads(unit, reader, unit.evaluated.get(key, ()))

    def _reads(self, unit: Unit, reader: str, reads: tuple[Read, ...]) -> None:
        place = unit.execution
        for read in reads:
            values = (place.organization_id, place.id, reader, read.what, place.id, read.task_name)
            self._db.write("insert_read", values)


def _number(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None  # a whole number beyond what can be compared


def _path(key: TaskKey) -> str:
    return json.dumps(key.path) if key.path else "[]"


def _counters(counters: Counters | None) -> str | None:
    if counters is None:
        return None
    return f'[{counters.cursor},{counters.running},"{counters.worst}","{counters.phase}"]'


def _history(state: str, at: int) -> str:
    return f',["{state}",{at}]]'


def _attempt(identity: TaskIdentity, state: str, started: int, ended: int | None) -> str:
    shown = "null" if ended is None else ended
    return f'[{identity.attempt},"{identity.attempt_id}","{state}",{started},{shown}]'
