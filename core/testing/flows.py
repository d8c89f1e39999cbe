"""`run_flow`: a whole flow, as the command `run` would run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from core.app import App
from core.engine.live import execution_prefix
from core.errors import Invalid
from core.host.records import ExecutionIdentity
from core.host.views import ExecutionView, TaskExecutionView
from core.loading import load_flow
from core.model.flow import Flow
from core.sdk.properties import PluginType
from core.sdk.storage import storage_uri
from core.testing.apps import Files, app_for, folder_of, known_runner, read_file, revealed

Logged = tuple[str, str]
"""Level and message."""


@frozen
class TaskExecution:
    """One task execution of a flow. output: as it was recorded; None when there was none. attempts: how many."""

    id: str
    task: str
    type: str
    value: str | None
    state: str
    output: Any
    error: str
    note: str
    attempts: int
    summary: Mapping[str, Any]
    logs: tuple[Logged, ...]


@frozen
class FlowRun:
    """How a flow execution went.

    outputs: the flow's own; {} when it declares none or did not get so far. tasks: by id, the last execution of each;
    task_executions: all of them, in the order they began. logs: (level, message) of all tasks, in order. files:
    URI → bytes of what the execution stored, files given as inputs included. notes: what a person would have been
    told before it began.
    """

    id: str
    state: str
    error: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    tasks: Mapping[str, TaskExecution]
    task_executions: tuple[TaskExecution, ...]
    logs: tuple[Logged, ...]
    files: Mapping[str, bytes]
    notes: tuple[str, ...]


def run_flow(
    flow: str | Path,
    inputs: Mapping[str, Any] | None = None,
    *,
    files: Files | None = None,
    secrets: Mapping[str, str] | None = None,
    types: tuple[type[PluginType], ...] = (),
    runner: str | None = None,
    app: App | None = None,
) -> FlowRun:
    """Run a flow to its end, in this process.

    flow: its YAML, or the path of its file (a text of one line is a path too). inputs: a path for a FILE input.
    files: as if they lay in `_files/` beside the flow, together with those that do. types: classes that no installed
    plugin brings. runner: `process` (default), `docker` or `auto`, where scripts run when the flow does not say.
    app: one of `temporary_app`, which then has the types and secrets.

    A flow that fails is a result too: look at `state` and `error`. Raises InvalidFlow and InvalidInput with everything
    that is wrong, Unreachable when a task needs what this machine does not have.
    """
    path, runner = _path(flow), known_runner(runner)
    with app_for(app, types, secrets) as world:
        text, name = (path.read_bytes(), str(path)) if path else (str(flow), "flow.yaml")
        find = world.flows.find_template(path.parent if path else None)
        loaded = load_flow(text, world.registry, name, find_template=find).require()
        notes = world.executions.preflight(loaded, runner=runner)
        given = {name: str(value) if isinstance(value, Path) else value for name, value in (inputs or {}).items()}
        created, warnings = world.executions.create(loaded, given)
        with folder_of(files, path.parent / "_files" if path else None) as local_files:
            ended = world.executions.run(created.id, runner=runner, local_files=local_files)
        return _flow_run(world, loaded, ended, (*notes, *warnings))


def _path(flow: str | Path) -> Path | None:
    if isinstance(flow, str) and "\n" in flow:
        return None
    path = Path(flow)
    if not path.is_file():
        raise Invalid("there is no such flow", where=str(path), expected="the path of a YAML file, or the YAML itself")
    return path


def _flow_run(app: App, flow: Flow, view: ExecutionView, notes: tuple[str, ...]) -> FlowRun:
    executions = tuple(_task_execution(app, task) for task in app.executions.tasks(view.id))
    identity = ExecutionIdentity(view.id, app.settings.organization, flow.namespace, flow.id, view.flow_revision)
    stored = app.files.list(storage_uri(execution_prefix(identity)))
    return FlowRun(
        id=view.id,
        state=view.state,
        error=view.error,
        inputs=view.inputs,
        outputs=revealed(app, dict(view.outputs or {})),
        tasks={execution.task: execution for execution in executions},
        task_executions=executions,
        logs=tuple((line.level, line.message) for line in app.executions.logs(view.id)),
        files={file.uri: read_file(app, file.uri) for file in stored},
        notes=notes,
    )


def _task_execution(app: App, view: TaskExecutionView) -> TaskExecution:
    lines = app.executions.logs(view.flow_execution_id, task_name=view.task_name)
    return TaskExecution(
        id=view.id,
        task=view.task_name,
        type=view.type,
        value=view.value,
        state=view.state,
        output=revealed(app, app.outputs.value(view.id)),
        error=view.error,
        note=view.note,
        attempts=len(view.attempts),
        summary=view.summary,
        logs=tuple((line.level, line.message) for line in lines),
    )
