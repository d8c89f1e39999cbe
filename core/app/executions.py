"""Flow executions: created, run, asked to go on or to end, listed, purged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.app.bell import Bell
from core.app.creation import Creation
from core.app.flows import FlowService
from core.app.runs import Runs
from core.engine.children import unfinished
from core.engine.clock import now
from core.engine.inbox import key_json
from core.errors import Conflict, Invalid, NotFound
from core.host.records import RecordStore
from core.host.views import (
    ExecutionFilter,
    ExecutionView,
    Happening,
    LogFilter,
    LogView,
    Page,
    Reason,
    TaskExecutionView,
)  # fmt: skip
from core.model.codec import encode
from core.model.data import evolve
from core.model.flow import Flow
from core.model.messages import TaskKey
from core.model.nodes import Step, Wait
from core.model.state import ENDED
from core.sdk.context import LEVELS
from core.sdk.storage import StorageBackend, storage_path
from core.settings import Settings

if TYPE_CHECKING:
    from core.host.overviews import FormField, PastRun, TaskOutline
    from core.host.services import FlowPlace

MAX_LOG_LINES = 10_000
GIVEN_STATES = ("SUCCESS", "WARNING", "FAILED", "SKIPPED")
"""The states that a person may give to a task execution."""


class ExecutionService:
    """Implements `core.host.services.Executions`."""

    def __init__(
        self,
        settings: Settings,
        records: RecordStore,
        storage: StorageBackend,
        flows: FlowService,
        runs: Runs,
        creation: Creation,
        bell: Bell,
    ) -> None:
        self._settings = settings
        self._organization = settings.organization
        self._records = records
        self._storage = storage
        self._flows = flows
        self._runs = runs
        self._creation = creation
        self._bell = bell

    # -- creating and running

    def preflight(self, flow: Flow, *, runner: str | None = None, execution_id: str | None = None) -> tuple[str, ...]:
        return self._runs.preflight(flow, runner, execution_id)

    def create(
        self,
        flow: Flow,
        inputs: Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        files: Mapping[str, Path] | None = None,
    ) -> tuple[ExecutionView, tuple[str, ...]]:
        created = self._creation.create(flow, inputs, labels or {}, files=files)
        return self.get(created.id), created.warnings

    def form(
        self, flow: Flow, given: Mapping[str, Any] | None = None, *, task: str | None = None
    ) -> tuple[FormField, ...]:
        from core.app.forms import form_of  # noqa: PLC0415 - nobody fills in a form of a run

        return form_of(self._creation, flow, given, task)

    def run(
        self,
        execution_id: str,
        *,
        follow: Callable[[Happening], None] | None = None,
        runner: str | None = None,
        local_files: Path | None = None,
    ) -> ExecutionView:
        view = self.get(execution_id)
        self._runs.run(view, follow, runner, local_files)
        return self.get(view.id)

    def interrupt(self) -> None:
        self._runs.interrupt()

    def submit(self, execution_id: str) -> None:
        view = self.get(execution_id)
        if not self._bell.ring(self._organization, view.id) and view.state == "CREATED":
            self._send(view, "start")  # one more than that of its creation: no engine waits for its creator then

    # -- asked of one that runs or waits; what nobody works on, `run` goes on with

    def is_owned(self, execution_id: str) -> bool:
        return self._records.is_owned(self.resolve(execution_id))

    def kill(self, execution_id: str) -> None:
        view = self.get(execution_id)
        if view.state in ENDED:
            raise Conflict(f"the execution {view.id} has already ended: {view.state}")
        calls = [task.id for task in self.tasks(view.id) if task.ended_at is None]
        self._send(view, "kill")
        if self._bell.is_heard and self._runs.with_tail(view):
            return  # what serves here ends it: what runs afterwards may take long
        try:
            self._runs.end(view)
        except Conflict:
            # Its owner lives and will read its inbox.
            return
        for child in (child for call in calls for child in unfinished(self._records.children_of(call))):
            with suppress(Conflict):  # it has ended meanwhile
                self.kill(child.execution_id)

    def pause(self, execution_id: str) -> None:
        view = self.get(execution_id)
        if view.state not in ("RUNNING", "RETRYING"):
            raise Conflict(f"the execution {view.id} can't be paused: it is {view.state}", expected="one that runs")
        if not (self._records.is_owned(view.id) or self._bell.is_heard):
            raise Conflict(f"nobody works on the execution {view.id}", hint="`executions why` says what it waits for")
        self._send(view, "pause")

    def resume(
        self,
        execution_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        task_name: str | None = None,
        value: str | None = None,
        by: str = "",
        files: Mapping[str, Path] | None = None,
    ) -> None:
        view = self.get(execution_id)
        who = {"by": by} if by else {}
        if view.state in ENDED:
            raise Conflict(
                f"the execution {view.id} can't be resumed: it is {view.state}",
                hint="`executions restart` lets one that failed go on, `executions replay` runs one again",
            )
        steps = {step.id: step for step in self._creation.flow_of(view).steps()}
        waiting = [task for task in self.tasks(view.id) if _waits_for_a_person(task, steps)]
        if task_name is not None:
            key = self._key_of(view.id, task_name, value)
            waiting = [task for task in waiting if (task.task_name, task.path, task.turn) == key]
            if not waiting:
                raise Conflict(f"`{task_name}` does not wait for a person")
            given = self._creation.resume_inputs(view, [steps[task_name]], inputs or {}, files or {})
            self._send(view, "resume", {**given, "task": key_json(key), **who})
        elif waiting and not view.held:
            named = dict.fromkeys(task.task_name for task in waiting)
            given = self._creation.resume_inputs(view, [steps[name] for name in named], inputs or {}, files or {})
            self._send(view, "resume", {**given, **who})
        else:
            self._go_on(view, {**(inputs or {}), **(files or {})})

    def _go_on(self, view: ExecutionView, inputs: Mapping[str, Any]) -> None:
        """Of an execution where no task waits for a person; what was only interrupted needs no message to go on."""
        if inputs:
            raise Invalid(f"no task of the execution {view.id} waits for inputs")
        if view.held:
            self._send(view, "resume")
        elif self._records.is_owned(view.id):
            raise Conflict(f"nothing of the execution {view.id} waits for a person: it is {view.state}")
        elif view.state == "CREATED" and (view.due_at or 0) > now():
            raise Conflict(f"the execution {view.id} is to begin later", hint="`executions force-run` begins it now")

    def force_run(self, execution_id: str) -> None:
        view = self.get(execution_id)
        if view.state not in ("CREATED", "QUEUED", "PAUSED"):
            raise Conflict(
                f"nothing holds the execution {view.id} back: it is {view.state}", expected="one that waits"
            )
        self._send(view, "force_run")

    def restart(self, execution_id: str) -> None:
        view = self.get(execution_id)
        if view.state not in ("FAILED", "KILLED", "CANCELLED", "WARNING"):
            waits = "waits" if view.state == "PAUSED" else "was interrupted"
            going_on = "" if view.state in ENDED else f"`executions resume` lets one go on that {waits}"
            raise Conflict(
                f"the execution {view.id} can't be restarted: it is {view.state}",
                expected="one that failed or was killed",
                hint=going_on or "`executions replay` runs one again as a new execution",
            )
        self._creation.check_restart(view)
        self._send(view, "restart", {"what": "failed"})

    def change_state(self, execution_id: str, task_name: str, state: str, *, value: str | None = None) -> None:
        view = self.get(execution_id)
        if view.state not in ENDED:
            raise Conflict(f"the execution {view.id} has not ended: it is {view.state}", hint="kill it first")
        if state not in GIVEN_STATES:
            raise Invalid(f"`{state}` can't be given to a task", expected=" | ".join(GIVEN_STATES))
        key = self._key_of(view.id, task_name, value)
        self._send(view, "restart", {"what": "state", "tasks": [key_json(key)], "state": state})

    def replay(
        self,
        execution_id: str,
        *,
        from_task: str | None = None,
        value: str | None = None,
        stale: bool = False,
        latest_revision: bool = False,
    ) -> ExecutionView:
        view = self.get(execution_id)
        if view.state not in ENDED:
            raise Conflict(f"the execution {view.id} has not ended: it is {view.state}", hint="kill it first")
        tasks = (self._key_of(view.id, from_task, value),) if from_task else ()
        if stale and not any(row.stale for row in self._records.past(view.id)):
            raise Conflict(f"nothing of the execution {view.id} is stale")
        revision = self._flows.get(view.namespace, view.flow_id).revision if latest_revision else view.flow_revision
        return self.get(self._creation.derive(view, "stale" if stale else "from", tasks, revision))

    def _send(self, view: ExecutionView, kind: str, payload: Mapping[str, Any] | None = None) -> None:
        self._records.send(view.id, kind, encode(dict(payload or {})), now())

    def _key_of(self, execution_id: str, task_name: str, value: str | None) -> TaskKey:
        """The latest task execution of a task, for one value of the loop around it. Raises NotFound, Invalid.

        value: of the innermost loop, or the values of all loops around the task, joined by `/`.
        """
        ran = [row.key for row in self._records.past(execution_id) if row.key.task_id == task_name]
        rows = [key for key in ran if value is None or (key.path and value in (key.path[-1], "/".join(key.path)))]
        if len({key.path for key in rows}) > 1:
            raise Invalid(f"`{task_name}` ran for more than one value", expected="the value of the loop")
        if rows:
            return rows[-1]
        if ran:
            raise NotFound(f"`{task_name}` did not run for the value `{value}`")
        names = ", ".join(dict.fromkeys(task.task_name for task in self.tasks(execution_id))) or "none"
        raise NotFound(f"no task `{task_name}` ran in the execution {execution_id}", expected=f"one of: {names}")

    # -- looking

    def resolve(self, written: str) -> str:
        """The id of the execution that a person means: an id, the beginning of one, or `last`."""
        if written == "last":
            newest = self._records.newest_execution(self._organization)
            if newest is None:
                raise NotFound("there is no execution yet")
            return newest
        found = self._records.find_executions(self._organization, written)
        if len(found) > 1:
            raise Invalid(f"`{written}` is the beginning of more than one execution's id", expected="more of the id")
        if not found:
            raise NotFound(f"there is no execution `{written}`", hint="`executions list` shows the newest ones")
        return found[0]

    def get(self, execution_id: str) -> ExecutionView:
        found = self._records.execution(self._organization, self.resolve(execution_id))
        if found is None:
            raise NotFound(f"there is no execution `{execution_id}`")
        return found

    def list(self, which: ExecutionFilter) -> Page[ExecutionView]:
        return self._records.executions(self._organization, which)

    def tasks(self, execution_id: str) -> tuple[TaskExecutionView, ...]:
        return self._records.task_executions(self._organization, self.resolve(execution_id))

    def logs(
        self, execution_id: str, *, task_name: str | None = None, level: str = "TRACE", after: int = 0
    ) -> tuple[LogView, ...]:
        if level not in LEVELS:
            raise Invalid(f"`{level}` is not a log level", expected=", ".join(LEVELS))
        levels = LEVELS[LEVELS.index(level) :]
        found = self.resolve(execution_id)
        lines = self._records.logs(self._organization, found, task_name, levels, after, MAX_LOG_LINES)
        left = MAX_LOG_LINES - len(lines)
        from core.app.log_files import filed_logs  # noqa: PLC0415 - only `logs` reads them

        filed = filed_logs(
            self._records, self._storage, self._organization, found, task_name, levels, after, left
        )
        return (*lines, *filed)

    def find_logs(self, execution_id: str, which: LogFilter) -> tuple[LogView, ...]:
        from core.app.log_files import found_logs  # noqa: PLC0415 - only people look for lines

        return found_logs(self._records, self._storage, self._organization, self.resolve(execution_id), which)

    def outline(self, execution_id: str) -> tuple[TaskOutline, ...]:
        return self._records.product.outline(self._organization, self.resolve(execution_id))

    def past_runs(self, flows: Sequence[FlowPlace], limit: int = 20) -> Mapping[FlowPlace, tuple[PastRun, ...]]:
        return self._records.product.past_runs(self._organization, flows, limit)

    def why(self, execution_id: str) -> tuple[Reason, ...]:
        from core.app.why import Why  # noqa: PLC0415 - a run that ends well has no reasons

        return Why(self._organization, self._records, self._flows, self.get(execution_id)).reasons()

    # -- purging

    def purge(self, which: ExecutionFilter) -> int:
        ended: list[str] = []
        while True:
            page = self.list(which)
            ended += (view.id for view in page.data if view.state in ENDED)
            if page.next is None:
                break
            which = evolve(which, starting_after=page.next)
        for execution_id in ended:
            for uri in self._records.purge_execution(self._organization, execution_id):
                self._storage.delete(self._organization, storage_path(uri))
        return len(ended)


def _waits_for_a_person(task: TaskExecutionView, steps: Mapping[str, Step]) -> bool:
    return task.state == "PAUSED" and isinstance(steps[task.task_name].node, Wait)
