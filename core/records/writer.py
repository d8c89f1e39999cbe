"""Writes units: the changes of a decision, with what belongs to them, under its guards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from core.host.records import Refused, RefusedKind, TaskIdentity, Unit
from core.host.seam import TaskResult
from core.model.codec import encode
from core.model.decisions import (
    ChangeEnd,
    EndTask,
    GiveOutput,
    HoldTask,
    MoveExecution,
    MoveTask,
    OpenTask,
    Remember,
    ReopenTask,
)  # fmt: skip
from core.model.digest import digest
from core.model.messages import TaskKey
from core.model.state import ENDED
from core.records.database import Database, Row
from core.records.derived import derive
from core.records.guards import FENCE, TWICE, GuardError, IsAlive, check
from core.records.lineage import evaluation_reader, record_reads
from core.records.requests import apply
from core.records.texts import MAX_SUMMARY_TEXT, attempt_text, counters_text, history_text, path_text, scalars

PREVIEW = 300
_NOT_STARTED = frozenset({"CREATED", "QUEUED"})


class Writer:
    """Applies units inside one transaction of a database."""

    def __init__(self, database: Database, is_alive: IsAlive) -> None:
        self._db = database
        self._is_alive = is_alive
        self._writers: dict[type, Callable[[Unit, Any], None]] = {
            EndTask: self._end,
            OpenTask: self._open,
            MoveTask: self._move,
            HoldTask: self._hold,
            ReopenTask: self._reopen,
            ChangeEnd: self._change_end,
            GiveOutput: self._give,
            Remember: self._remember,
        }

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
                    refused.append(Refused(unit.execution.id, str(error), error.kind))
                self._db.execute("RELEASE unit")
        return tuple(refused)

    def _commit_one(self, unit: Unit) -> tuple[Refused, ...]:
        """The common case: the transaction itself is undone, no savepoint is needed."""
        try:
            with self._db.writing():
                self._unit(unit)
        except GuardError as error:
            return (Refused(unit.execution.id, str(error), error.kind),)
        return ()

    def _unit(self, unit: Unit) -> None:
        self._execution(unit)
        for change in unit.decision.changes:
            write = self._writers.get(type(change))  # what is written with the execution is not there
            if write is not None:
                write(unit, change)
        place, execution_id = unit.execution.organization_id, unit.execution.id
        for key, identity, line in unit.logs:
            who, attempt = (identity.id, identity.attempt) if identity else (None, None)
            values = (place, execution_id, who, key.task_id or None, attempt, line.at, line.level, line.message)
            self._db.write("insert_log", values)
        for identity, metric in unit.metrics:
            tags = json.dumps(dict(metric.tags)) if metric.tags else "{}"
            self._db.write("insert_metric", (
                place, execution_id, identity.id, metric.at, metric.name, metric.kind, metric.value, tags
            ))  # fmt: skip
        self._files(unit, unit.files)
        for request in unit.requests:
            apply(self._db, unit, request)
        for seq in unit.done:
            self._db.write("inbox_done", (unit.at, seq))
        if unit.derived is not None and not derive(self._db, unit.derived, unit.execution.id, unit.kept, retry=True):
            raise GuardError(TWICE, "twice")

    def _once(self, name: str, values: Row, refusal: str = TWICE, kind: RefusedKind = "twice") -> None:
        """Run a statement that changes one row; when it does not, somebody was quicker, and the unit is refused."""
        if self._db.write(name, values).rowcount != 1:
            raise GuardError(refusal, kind)

    # -- the execution

    def _execution(self, unit: Unit) -> None:
        """Whether it is the owner who writes shows when the execution's own row is written."""
        moved = _moved(unit)
        if moved is None:
            self._hold_fence(unit)
        elif moved.entered:
            self._enter(unit, moved)
        else:
            values = (counters_text(moved.counters), unit.execution.id, unit.fence)
            self._once("move_execution", values, FENCE, "fence")
        for guard in unit.decision.guards:
            check(self._db, unit, guard, self._is_alive)
        if moved is not None and not moved.entered and moved.error:
            self._db.write("give_reason", (moved.error, unit.execution.id))

    def _hold_fence(self, unit: Unit) -> None:
        row = self._db.write("holds_fence", (unit.execution.id, unit.fence)).fetchone()
        if row is None:
            raise GuardError(FENCE, "fence")
        if row[0] and unit.decision.changes:
            self._db.write("forget_takeovers", (unit.execution.id,))

    def _enter(self, unit: Unit, change: MoveExecution) -> None:
        if change.through.startswith("RESTARTED"):
            self._db.write("forget_end", (unit.execution.id, unit.fence))
        started = None if change.state in _NOT_STARTED else unit.at
        ended = unit.at if change.state in ENDED else None
        self._once("enter_execution", (
            change.state, counters_text(change.counters), change.error or None,
            history_text(change.state, unit.at, change.through), unit.outputs_json, started, ended,
            unit.execution.id, unit.fence,
        ), FENCE, "fence")  # fmt: skip
        if ended is not None and change.state != "RETRIED":  # of that another execution takes the place
            self._tell_parent(unit)

    def _tell_parent(self, unit: Unit) -> None:
        if self._db.write("tell_parent", (unit.at, unit.execution.id)).rowcount:
            self._db.forget_seen()

    # -- changes

    def _open(self, unit: Unit, change: OpenTask) -> None:
        place, identity, at = unit.execution, unit.tasks[change.key], unit.at
        entered = "" if change.state == "CREATED" else f',["{change.state}",{at}]'
        row = (
            identity.id, place.organization_id, place.id, place.namespace, place.flow_id, place.flow_revision,
            change.key.task_id, identity.type, path_text(change.key), change.key.turn,
            change.key.path[-1] if change.key.path else None, identity.parent_id, change.state,
            f'[["CREATED",{at}]{entered}]',
            f"[{attempt_text(identity, 'RUNNING', at, None)}]" if change.attempt else "[]",
            counters_text(change.counters), change.iteration, at, at,
        )  # fmt: skip
        self._once("open_task", row)  # its key is unique

    def _move(self, unit: Unit, change: MoveTask) -> None:
        identity = unit.tasks[change.key]
        if change.attempt_ended:
            self._end_attempt(unit, change, identity)
        if not change.entered and not change.attempt:
            self._db.write("move_task", (counters_text(change.counters), unit.at, identity.id))
            return
        attempt = attempt_text(identity, "RUNNING", unit.at, None) if change.attempt else None
        self._db.write("enter_task", (
            change.state, counters_text(change.counters), unit.at, change.due_at or None,
            history_text(change.state, unit.at) if change.entered else "]", attempt, attempt, identity.id,
        ))  # fmt: skip

    def _hold(self, unit: Unit, change: HoldTask) -> None:
        identity, result = unit.tasks[change.key], unit.results.get(change.key)
        self._db.write("hold_task", (change.due_at or None, change.state, unit.at, identity.id))
        if result is not None:
            self._result(unit, change.key, identity, result)

    def _end_attempt(self, unit: Unit, change: MoveTask, identity: TaskIdentity) -> None:
        """The task execution goes on; what this attempt gave stands until the next one has given something."""
        result = unit.results.get(change.key)
        started, ended = (result.started_at, result.ended_at) if result else (None, unit.at)
        self._db.write("end_attempt", (change.attempt_ended, started, ended, change.error, identity.id))
        if result is not None:
            self._output(unit, identity, result)
            self._result(unit, change.key, identity, result)

    def _reopen(self, unit: Unit, change: ReopenTask) -> None:
        identity = unit.tasks[change.key]
        attempt = attempt_text(identity, "RUNNING", unit.at, None) if change.attempt else None
        self._once("reopen_task", (
            change.state, counters_text(change.counters), identity.parent_id, change.iteration, unit.at,
            history_text(change.state, unit.at, "RESTARTED"), attempt, attempt, identity.id,
        ))  # fmt: skip
        if change.attempt:  # it is to give another output
            self._db.write("forget_output", (identity.id,))
            self._db.write("forget_body", (identity.id,))
            self._db.write("forget_summary", (identity.id,))

    def _change_end(self, unit: Unit, change: ChangeEnd) -> None:
        identity = unit.tasks[change.key]
        values = (change.state, unit.at, history_text(change.state, unit.at), identity.id)
        self._once("change_end", values)

    def _end(self, unit: Unit, change: EndTask) -> None:
        identity, at = unit.tasks[change.key], unit.at
        entered = (change.state, change.error or None, at, at, history_text(change.state, at))
        result = unit.results.get(change.key)
        if result is None or result.due_at:
            self._once("end_task", (*entered, change.state, at, identity.id))
            return
        attempt = attempt_text(identity, result.state, result.started_at, result.ended_at)
        self._once("end_task_with_result", (
            *entered, identity.attempt, attempt, attempt, result.note or None, result.properties_hash or None,
            encode(result.summary) if result.summary else None, result.size, result.sha256, result.output_uri,
            result.preview, identity.id,
        ))  # fmt: skip
        self._result(unit, change.key, identity, result)

    # -- outputs

    def _give(self, unit: Unit, change: GiveOutput) -> None:
        """The output of a flow task: what its runnable tasks would have sent as a result."""
        identity, text = unit.tasks[change.key], encode(change.output)
        data = text.encode()
        summary = {name: value for name, value in change.output.items() if _is_small(value)}
        result = TaskResult(
            "", "", unit.at, unit.at, text, None, len(data), digest(data), text[:PREVIEW], summary
        )  # fmt: skip
        self._output(unit, identity, result)
        self._bodies(unit, identity, result, anew=False)

    def _output(self, unit: Unit, identity: TaskIdentity, result: TaskResult) -> None:
        """The output of a task execution that goes on."""
        self._once("give_output", (
            unit.at, encode(result.summary) if result.summary else None, result.size, result.sha256,
            result.output_uri, result.preview, identity.id,
        ))  # fmt: skip

    def _result(self, unit: Unit, key: TaskKey, identity: TaskIdentity, result: TaskResult) -> None:
        self._bodies(unit, identity, result, anew=identity.attempt < 2)
        if result.properties:
            self._db.write("keep_properties", (result.properties, identity.id))
        if result.log_uri:
            self._db.write("add_log_file", (identity.attempt, result.log_uri, identity.id))
        record_reads(self._db, unit.execution, identity.id, key.path, result.reads)
        self._files(unit, result.files)
        for request in result.requests:
            apply(self._db, unit, request)

    def _files(self, unit: Unit, files: Iterable[tuple[str, int, str]]) -> None:
        organization = unit.execution.organization_id
        for uri, size, sha256 in files:
            self._db.write("insert_file", (organization, uri, size, sha256, unit.at))
            self._db.write("use_file", (organization, unit.execution.id, uri))

    def _bodies(self, unit: Unit, identity: TaskIdentity, result: TaskResult, *, anew: bool) -> None:
        """anew: it had none before."""
        organization = unit.execution.organization_id
        if not anew:
            self._db.write("forget_body", (identity.id,))
            self._db.write("forget_summary", (identity.id,))
        if result.output is not None:
            self._db.write("insert_body", (identity.id, organization, result.output))
        for path, shown, number in scalars(result.summary):
            self._db.write("insert_summary_value", (organization, identity.id, path, shown, number))

    # -- answers

    def _remember(self, unit: Unit, change: Remember) -> None:
        key, place = change.key, unit.execution
        value = None if change.error else encode(change.value)
        self._db.write("insert_evaluation", (
            place.organization_id, place.id, key.task.task_id, path_text(key.task), key.task.turn, key.purpose,
            key.round, value, change.error or None, unit.at,
        ))  # fmt: skip
        reads = unit.evaluated.get(key)
        if reads:
            record_reads(self._db, place, evaluation_reader(place.id, key), key.task.path, reads)


def _moved(unit: Unit) -> MoveExecution | None:
    for change in unit.decision.changes:
        if type(change) is MoveExecution:
            return change
    return None


def _is_small(value: object) -> bool:
    """As the summary of a task type is by default."""
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= MAX_SUMMARY_TEXT)
