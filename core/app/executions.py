"""Flow executions: created, run, listed, killed, purged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.app.evaluator import direct_line
from core.app.flows import FlowService
from core.app.runs import Runs
from core.engine.answers import Answers
from core.engine.clock import new_id, now
from core.engine.live import execution_prefix
from core.errors import Conflict, Invalid, InvalidInput, NotFound, Unreachable
from core.host.records import ExecutionIdentity, NewExecution, RecordStore
from core.host.seam import Place
from core.host.views import ExecutionFilter, ExecutionView, Happening, LogView, Page, TaskExecutionView
from core.loading import parse_yaml
from core.model.codec import encode
from core.model.data import evolve
from core.model.flow import Flow
from core.model.inputs import file_inputs, put, resolve_inputs, value_at
from core.model.state import ENDED
from core.sdk.context import LEVELS
from core.sdk.storage import StorageBackend, StoredFile, is_storage_uri, storage_path
from core.settings import Settings
from core.work.evaluate import Evaluation
from core.work.secrets import Redactor
from core.work.tools import Tools

MAX_LOG_LINES = 10_000


class ExecutionService:
    """Implements `core.host.services.Executions`."""

    def __init__(
        self,
        settings: Settings,
        records: RecordStore,
        storage: StorageBackend,
        flows: FlowService,
        runs: Runs,
        tools: Callable[[], Tools],
        answers: Callable[[], Answers],
    ) -> None:
        self._settings = settings
        self._organization = settings.organization
        self._records = records
        self._storage = storage
        self._flows = flows
        self._runs = runs
        self._tools = tools
        self._answers = answers

    # -- creating and running

    def preflight(self, flow: Flow, *, runner: str | None = None) -> tuple[str, ...]:
        return self._runs.preflight(flow, runner)

    def create(
        self, flow: Flow, inputs: Mapping[str, Any], *, labels: Mapping[str, str] | None = None
    ) -> tuple[ExecutionView, tuple[str, ...]]:
        if flow.disabled:
            raise Conflict(f"the flow {flow.namespace}.{flow.id} is disabled", hint="take `disabled: true` out of it")
        stored = self._flows.keep(flow, local=True)
        identity = ExecutionIdentity(new_id(), self._organization, flow.namespace, flow.id, stored.revision)
        values, problems = resolve_inputs(flow.inputs, inputs, self._default_renderer(identity), parse_yaml)
        errors = [str(problem) for problem in problems if problem.severity == "error"]
        if errors:
            raise InvalidInput("\n".join(errors), hint=_how_to_give(flow))
        files = self._store_files(flow, values, identity)
        at = now()
        self._records.create_execution(
            NewExecution(
                identity.id, self._organization, flow.namespace, flow.id, stored.revision, encode(values),
                {**flow.labels, **(labels or {})}, tuple((file.uri, file.size, file.sha256) for file in files), at,
            )
        )  # fmt: skip
        return self.get(identity.id), tuple(str(one) for one in problems if one.severity == "warning")

    def run(
        self,
        execution_id: str,
        *,
        follow: Callable[[Happening], None] | None = None,
        runner: str | None = None,
        local_files: Path | None = None,
    ) -> ExecutionView:
        view = self.get(execution_id)
        if view.started_at is not None and view.state not in ENDED:
            raise Conflict(
                f"another process has begun the execution {view.id}, and this version can't continue it",
                hint="end it with `executions kill`, and run the flow again",
            )
        self._runs.run(view, follow or (lambda happening: None), runner, local_files)
        return self.get(view.id)

    def interrupt(self) -> None:
        self._runs.interrupt()

    def kill(self, execution_id: str) -> None:
        view = self.get(execution_id)
        if view.state in ENDED:
            raise Conflict(f"the execution {view.id} has already ended: {view.state}")
        self._records.send(view.id, "kill", "{}", now())
        try:
            self._runs.end(view)
        except Conflict:
            # Its owner lives and will read its inbox.
            return

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
        return self._records.logs(self._organization, found, task_name, levels, after, MAX_LOG_LINES)

    def why(self, execution_id: str) -> tuple[str, ...]:
        view = self.get(execution_id)
        tasks = self.tasks(view.id)
        if view.state in ENDED:
            reasons = [f"{task.task_name} {task.state}: {task.error}" for task in tasks if task.error]
            return (f"it has ended: {view.state}", *([view.error] if view.error else []), *reasons)
        if view.id in self._records.abandoned(self._organization, ""):
            return ("the process that worked on it is gone", "end it with `executions kill`, or run the flow again")
        running = [f"{task.task_name} is {task.state}" for task in tasks if task.ended_at is None]
        return tuple(running) or ("it was created and nobody has begun to work on it",)

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

    # -- inputs

    def _default_renderer(self, identity: ExecutionIdentity) -> Callable[[Any], Any]:
        place = Place(identity.organization_id, identity.namespace, identity.flow_id, identity.id)
        flow = {"id": identity.flow_id, "namespace": identity.namespace, "revision": identity.flow_revision}

        def render(template: Any) -> Any:
            tools = self._tools()
            redactor = Redactor(tools.secrets)
            evaluation = Evaluation(place, {"flow": flow}, tools, direct_line(self._answers()), redactor.get)
            return redactor.mark(evaluation.render(template, True))

        return render

    def _store_files(self, flow: Flow, values: dict[str, Any], identity: ExecutionIdentity) -> tuple[StoredFile, ...]:
        """Local paths given for FILE inputs become files of the execution; URIs are checked to be there."""
        stored = []
        for input_id in file_inputs(flow.inputs):
            given = value_at(values, input_id)
            if given is None:
                continue
            if is_storage_uri(given):
                stored.append(self._storage.stat(self._organization, storage_path(given)))
                continue
            path = Path(str(given)).expanduser()
            if not path.is_file():
                raise InvalidInput(f"Invalid input for `{input_id}`, there is no file, but received `{given}`")
            target = f"{execution_prefix(identity)}/inputs/{input_id}/{path.name}"
            try:
                file = self._storage.put(self._organization, target, path)
            except OSError as error:
                raise Unreachable(f"the file can't be read: {error.strerror}", where=str(path)) from error
            put(values, input_id, file.uri)
            stored.append(file)
        return tuple(stored)


def _how_to_give(flow: Flow) -> str:
    names = ", ".join(f"{one.id} ({one.type})" for one in flow.inputs)
    return f"give inputs as -i NAME=VALUE; this flow has: {names}"
