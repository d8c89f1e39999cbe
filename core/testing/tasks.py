"""`run_task`: one task, as a flow would run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from attrs import field, frozen

from core.app import App
from core.engine.answers import Answers
from core.engine.clock import as_instant, new_id, now
from core.errors import Invalid
from core.host.requests import Request, SetKv
from core.host.seam import LogLine, Metric, Place, Question, TaskJob, TaskResult, Up
from core.model.codec import decode, normalise
from core.model.data import evolve
from core.registry import Registry, build
from core.sdk.storage import storage_path
from core.sdk.tasks import RunnableTask, Task, TaskOutput
from core.testing.apps import Files, app_for, folder_of, known_runner, read_file, revealed
from core.testing.raw import raw_task
from core.work.attempt import Attempt
from core.work.context import AttemptContext
from core.work.line import Line
from core.work.tools import Tools

NAMESPACE = "tests"
FLOW_ID = "run_task"
TASK_ID = "task"


@frozen
class TaskRun:
    """How one task went.

    output: as it was recorded, names as in YAML; None when there was none. error: "" when all went well. note: what
    people are told of how it ran. logs: (level, message), in order. files: URI → bytes of what the task stored.
    kv: (namespace, key) → value that the task set. requests: all that it wants written, applied nowhere.
    """

    type: str
    state: str
    output: Any
    error: str
    note: str
    summary: Mapping[str, Any]
    logs: tuple[tuple[str, str], ...]
    metrics: tuple[Metric, ...]
    files: Mapping[str, bytes]
    kv: Mapping[tuple[str, str], Any]
    requests: tuple[Request, ...]
    _typed: Any = field(repr=False, default=None)

    @property
    def outputs(self) -> Any:
        """The output as the task's own `Output`; of a task that declares none, its values as attributes.

        Raises Invalid when there is no output.
        """
        if self._typed is None:
            raise Invalid(f"{self.type} gave no output, it is {self.state}" + (f": {self.error}" if self.error else ""))
        return self._typed


def run_task(
    task: Task | type[Task] | Mapping[str, object],
    *,
    variables: Mapping[str, object] | None = None,
    inputs: Mapping[str, object] | None = None,
    files: Files | None = None,
    secrets: Mapping[str, str] | None = None,
    runner: str | None = None,
    app: App | None = None,
) -> TaskRun:
    """Run one task alone: its properties rendered and converted, its output recorded, exactly as in a flow.

    task: an instance (whose values may be texts with expressions), a class (nothing given), or the map that a flow
    holds. variables: what its expressions see beside `inputs`, `flow`, `execution`, `task` and `taskrun`, for
    instance `{"outputs": {"earlier": {"value": 1}}}`. inputs: a `Path` among them is stored, as for a FILE input.
    files: as if they lay in `_files/` beside a flow. runner: `process` (default), `docker` or `auto`, where scripts
    run. app: one of `temporary_app`, which then has the secrets.

    A task that fails is a result too: look at `state` and `error`. Raises Invalid for what is not a runnable task,
    NotFound for a type that does not exist.
    """
    raw = raw_task(task)
    cls = task if isinstance(task, type) else type(task) if isinstance(task, Task) else None
    with app_for(app, secrets=secrets) as world:
        registry = world.registry.including(cls) if cls else world.registry
        found = registry.resolve(raw.pop("type"))
        if not issubclass(found, RunnableTask):
            raise Invalid(f"{found.type} does no work of its own", hint="test it with run_flow")
        place = _place(world)
        seen = _variables(world, place, found, inputs or {}) | normalise(variables or {})
        job = TaskJob(new_id(), 1, place, found.type, raw, seen)
        tools = evolve(world.tools(known_runner(runner)), registry=registry)
        with folder_of(files) as local_files:
            return _run(world, found, job, tools, _Heard(world.answers(local_files)))


def _run(app: App, cls: type[RunnableTask], job: TaskJob, tools: Tools, heard: _Heard) -> TaskRun:
    result = Attempt(job, tools, AttemptContext(job, tools, heard.line)).run()
    output = revealed(app, _recorded(app, result))
    return TaskRun(
        type=cls.type,
        state=result.state,
        output=output,
        error=result.error,
        note=result.note,
        summary=result.summary,
        logs=tuple(heard.logs),
        metrics=tuple(heard.metrics),
        files={uri: read_file(app, uri) for uri, _, _ in result.files if uri != result.output_uri},
        kv={
            (wish.namespace, wish.key): revealed(app, decode(wish.value_json))
            for wish in result.requests if isinstance(wish, SetKv)
        },
        requests=result.requests,
        typed=_typed(tools.registry, cls.Output, output),
    )


class _Heard:
    """The near side for one attempt: keeps what it tells, answers what it asks."""

    def __init__(self, answers: Answers) -> None:
        self.line = Line(self._tell)
        self.logs: list[tuple[str, str]] = []
        self.metrics: list[Metric] = []
        self._answers = answers

    def _tell(self, message: Up) -> None:
        if isinstance(message, Question):
            self.line.answer(self._answers.answer(message, None))
        elif isinstance(message, LogLine):
            self.logs.append((message.level, message.message))
        elif isinstance(message, Metric):
            self.metrics.append(message)


def _place(app: App) -> Place:
    execution_id, task_execution_id = new_id(), new_id()
    home = f"{NAMESPACE}/{FLOW_ID}/executions/{execution_id}"
    return Place(
        app.settings.organization, NAMESPACE, FLOW_ID, execution_id, TASK_ID, task_execution_id,
        home, f"{home}/tasks/{TASK_ID}/{task_execution_id}",
    )  # fmt: skip


def _variables(app: App, place: Place, cls: type[Task], inputs: Mapping[str, object]) -> dict[str, Any]:
    """What every task of a flow sees."""
    started = as_instant(now())
    execution = {"id": place.flow_execution_id, "startDate": started, "originalId": place.flow_execution_id}
    return {
        "flow": {"id": place.flow_id, "namespace": place.namespace, "revision": 1},
        "execution": {**execution, "state": "RUNNING"},
        "inputs": normalise({name: _stored(app, place, name, value) for name, value in inputs.items()}),
        "labels": {},
        "outputs": {},
        "task": {"id": place.task_name, "type": cls.type},
        "taskrun": {"id": place.task_execution_id, "startDate": started, "attemptsCount": 0},
    }


def _stored(app: App, place: Place, name: str, value: object) -> object:
    """A path as the URI of a file of the execution; any other value as it is."""
    if not isinstance(value, Path):
        return value
    target = f"{place.execution_prefix}/inputs/{name}/{value.name}"
    return app.storage.put(place.organization_id, target, value).uri


def _recorded(app: App, result: TaskResult) -> Any:
    if result.output is not None:
        return decode(result.output)
    if result.output_uri is None:
        return None
    with app.storage.open(app.settings.organization, storage_path(result.output_uri)) as body:
        return decode(body.read().decode("utf-8", "surrogatepass"))


def _typed(registry: Registry, declared: type[TaskOutput] | None, output: Any) -> Any:
    if not isinstance(output, Mapping):
        return output
    return SimpleNamespace(**output) if declared is None else build(declared, output, registry)
