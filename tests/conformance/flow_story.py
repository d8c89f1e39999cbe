"""One case told in an app of its own: executions created as the case says, its steps done, each moment kept."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from core.app import App, open_app
from core.host.views import ExecutionChanged, ExecutionFilter, ExecutionView, Happening, History, TaskExecutionView
from core.loading import load_flow, parse_yaml
from core.model.data import evolve
from core.model.flow import Flow
from core.model.inputs import resolve_inputs
from core.model.nodes import Call, Group, Policy, Step, Work
from core.model.state import ENDED
from core.settings import load_settings
from tests.conformance.flow_cases import FOLDER, Case

CASE_SECONDS = 120.0
RESERVED_IDS = {"valids/pause.yaml": "pause"}
SECRET = '{"secretKey":"secretValue"}'
CONFIGURED = {"kestra.variables.globals": "globals", "kestra.encryption.secret-key": "encryption_key"}
"""Settings of the reference's configuration, and ours."""


class Moment(NamedTuple):
    """An execution and its task executions, in the order they were opened, as the records had them at one time."""

    execution: ExecutionView
    tasks: tuple[TaskExecutionView, ...]


class Story:
    """What happened to the executions of one case. moments: by state of the execution, in the order it had them."""

    def __init__(self, app: App, case: Case, folder: Path) -> None:
        self.app = app
        self.case = case
        self.folder = folder
        self.flow = read_flow(app, case["flow"], folder)
        self._working = {step.id for step in self.flow.steps() if isinstance(step.node, (Work, Call, Group))}
        self._tails = {step.id for step in _tails(self.flow)}
        self.ids: list[str] = []
        self.moments: dict[str, list[Moment]] = {}

    # -- what a step does

    def create(self, inputs: Mapping[str, Any] | None = None, flow: Flow | None = None) -> str:
        """A new execution with the inputs of the case, typed or not as its mode says."""
        flow = flow or self.flow
        given = self._given(self.case["inputs"] if inputs is None else inputs)
        labels = {key: str(value) for key, value in (self.case.get("labels") or {}).items()}
        if self.case["input_mode"] in ("typed", "multipart"):
            view, _ = self.app.executions.create(flow, given, labels=labels)
            self.ids.append(view.id)
        else:
            self.ids.append(self._untyped(flow, given, labels))
        return self.ids[-1]

    def run(self, execution_id: str, follow: Callable[[Happening], None] | None = None) -> Moment:
        """Let it run until it can't go on by itself; every state it has on the way is kept as a moment."""
        kept = self.moments.setdefault(execution_id, [])

        def keep(happening: Happening) -> None:
            if isinstance(happening, ExecutionChanged) and happening.execution_id == execution_id:
                kept.append(self.look(execution_id))
            if follow is not None:
                follow(happening)

        watch = threading.Timer(CASE_SECONDS, self.app.executions.interrupt)
        watch.start()
        try:
            self.app.executions.run(execution_id, follow=keep, local_files=self.folder)
        finally:
            watch.cancel()
        return self.look(execution_id)

    def started(self) -> Moment:
        """The case's flow, created and run."""
        return self.run(self.create())

    # -- looking

    def look(self, execution_id: str) -> Moment:
        execution = self.app.executions.get(execution_id)
        return Moment(execution, tuple(self._counting(execution, self.app.executions.tasks(execution_id))))

    def _counting(self, execution: ExecutionView, tasks: tuple[TaskExecutionView, ...]) -> Iterator[TaskExecutionView]:
        """Those that count: we keep the record of what ran before a restart or in an earlier turn of a loop, where
        the reference takes it away."""
        latest = {(task.task_name, task.path): task.id for task in tasks}
        again = {task.id: _restarted_at(task.history) for task in tasks}
        for task in tasks:
            above = again[task.parent_id] if task.parent_id else _restarted_at(execution.history)
            late = task.task_name in self._tails and task.created_at < above
            if latest[task.task_name, task.path] == task.id and not late:
                yield task

    def at(self, execution_id: str, state: str) -> Moment:
        """The last time an execution entered a state.

        The reference stops at RESTARTED, and goes on in another step; ours goes through it in one commit. So it is
        shown as it was just after that commit, without what the commit added to it.
        """
        for moment in reversed(self.moments[execution_id]):
            execution = moment.execution
            entered = [at for at, (one, _) in enumerate(execution.history) if one == state]
            if execution.history[-1][0] == state:
                return moment
            if state == "RESTARTED" and entered and execution.history[-1][1] == execution.history[entered[-1]][1]:
                at = execution.history[entered[-1]][1]
                opened = [task for task in moment.tasks if task.created_at == at and task.history[0][1] == at]
                tasks = tuple(self._restarted(task, at) for task in moment.tasks if task not in opened)
                return Moment(evolve(execution, history=execution.history[: entered[-1] + 1], state=state), tasks)
        states = [one for one, _ in self.look(execution_id).execution.history]
        raise AssertionError(f"the execution never was {state}: {states}")

    def _restarted(self, task: TaskExecutionView, at: int) -> TaskExecutionView:
        """What does work is shown RESTARTED before it runs; a group around it is shown RUNNING, as in the reference."""
        for place, (state, since) in enumerate(task.history):
            if state == "RESTARTED" and since == at:
                before, after = task.history[:place], task.history[place : place + 2]
                kept = (*before, after[0]) if task.task_name in self._working else (*before, after[-1])
                return evolve(task, history=kept, state=kept[-1][0])
        return task

    def others(self, flow_id: str | None = None) -> list[Moment]:
        """Executions that the case did not start itself, the oldest first."""
        page = self.app.executions.list(ExecutionFilter(limit=200))
        found = [view for view in reversed(page.data) if view.id not in self.ids]
        return [self.look(view.id) for view in found if flow_id in (None, view.flow_id)]

    def wait_for_ended(self, moments: list[Moment]) -> list[Moment]:
        """Executions that their parent did not wait for, run to their ends."""
        return [moment if moment.execution.state in ENDED else self.run(moment.execution.id) for moment in moments]

    # -- inputs

    def _given(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        files = self.case.get("files") or {}
        return {name: self._value(name, value, files.get(name)) for name, value in inputs.items()}

    def _value(self, name: str, value: Any, file: Mapping[str, str] | None) -> Any:
        if not isinstance(value, str) or not value.startswith("<"):
            return value
        if value.endswith("x 'a'>"):
            return "a" * int(value.split()[0].lstrip("<"))
        if file and "storage_uri_of" in file:
            return self._stored(numbered_lines(file["storage_uri_of"]))
        local = self.folder / value.rstrip(">").split()[-1].split("/")[-1]
        local.write_text("hello", "utf-8")
        return str(local)

    def _stored(self, text: str) -> str:
        path = self.folder / "upload.txt"
        path.write_text(text, "utf-8")
        organization = self.app.settings.organization
        return self.app.storage.put(organization, "uploads/upload.txt", path).uri

    def _untyped(self, flow: Flow, given: Mapping[str, Any], labels: Mapping[str, str]) -> str:
        """As the reference's tests do: values as they stand, or only what declares a default."""
        values, _ = resolve_inputs(flow.inputs, {}, lambda template, seen: template, parse_yaml)
        values = {one.id: values[one.id] for one in flow.inputs if one.has_defaults and one.id in values}
        return self.app.creation.begin(flow, {**values, **given}, labels).id


def _restarted_at(history: History) -> int:
    return max((at for state, at in history if state == "RESTARTED"), default=0)


def _tails(flow: Flow) -> Iterator[Step]:
    """What runs after the tasks of a group: under `errors`, `finally` and `afterExecution`."""
    yield from flow.after_execution
    for node in [flow.root, *(step.node for step in flow.steps())]:
        policy = getattr(node, "policy", Policy())
        yield from (*policy.errors, *policy.finally_)


def read_flow(app: App, name: str, folder: Path | None = None) -> Flow:
    """A fixture; an id that is reserved from 1.0 on gets another end, for what else the flow shows still holds.

    folder: where its templates are.
    """
    text = (FOLDER / "flows" / name).read_text("utf-8")
    if name in RESERVED_IDS:
        text = text.replace(f"id: {RESERVED_IDS[name]}\n", f"id: {RESERVED_IDS[name]}-flow\n", 1)
    return load_flow(text, app.registry, name, find_template=app.flows.find_template(folder)).require()


def numbered_lines(told: str) -> str:
    """The text of a file that is described: so many lines with the numbers from 0, padded with spaces to 20."""
    if told == "empty file":
        return ""
    return "".join(f"{number:>20}\n" for number in range(int(told.split()[0])))


@contextmanager
def story_of(case: Case) -> Iterator[Story]:
    """A case in an app with what has to be there before: flows that are called, variables, keys and values."""
    setup = case.get("setup") or {}
    with TemporaryDirectory(prefix="tailrace-", ignore_cleanup_errors=True) as directory:
        folder = Path(directory, "files")
        folder.mkdir()
        config = setup.get("config") or {}
        settings = {CONFIGURED[name]: config[name] for name in config.keys() & CONFIGURED if config[name] is not None}
        _write_templates(folder / "_templates", setup.get("templates") or ())
        chosen = load_settings(
            home=Path(directory, "home"), environment=_environment(setup.get("env") or {}), runner="process", **settings
        )
        with open_app(chosen) as app:
            for name in case["needs"]:
                app.flows.keep(read_flow(app, name, folder), local=True)
            for namespace, entries in (setup.get("kv") or {}).items():
                for key, value in entries.items():
                    app.kv.set(namespace, key, value)
            for namespace, files in (setup.get("namespace_files") or {}).items():
                _put_files(app, folder, namespace, files)
            yield Story(app, case, folder)


def _write_templates(folder: Path, templates: Mapping[str, Any] | Sequence[Any]) -> None:
    """Templates as maps, as YAML, or by the names of fixtures; what is under `namespace.id` may leave these out."""
    folder.mkdir()
    named = templates.items() if isinstance(templates, Mapping) else [("", one) for one in templates]
    for number, (name, one) in enumerate(named):
        namespace, _, template_id = name.replace("/", ".").rpartition(".")
        is_name = isinstance(one, str) and "\n" not in one
        found = parse_yaml((FOLDER / "flows" / one).read_text("utf-8") if is_name else one if isinstance(one, str) else
                           json.dumps(one))  # fmt: skip
        whole = {"id": template_id, "namespace": namespace} | found
        (folder / f"{number}.yaml").write_text(json.dumps(whole), "utf-8")


def _put_files(app: App, folder: Path, namespace: str, files: Mapping[str, Any] | Sequence[str]) -> None:
    """Files of a namespace, with their contents or with their own names in them."""
    local = folder / "namespace-file"
    for name in files:
        content = files[name] if isinstance(files, Mapping) else name
        local.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        app.files.put(local, namespace, name.lstrip("/"))


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    path = load_settings().environment.get("PATH", "")
    secret = base64.b64encode(SECRET.encode()).decode()
    return {"PATH": path} | {name: secret if value.startswith("<base64") else value for name, value in given.items()}
