"""New executions: inputs typed and stored, checks asked, labels joined, the row written."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core import expressions
from core.app.direct_line import direct_line
from core.app.flows import FlowService
from core.engine.answers import Answers
from core.engine.children import Child
from core.engine.clock import new_id, now
from core.engine.inbox import restart_json
from core.engine.live import LiveExecution, execution_prefix, past_tasks
from core.errors import Conflict, InvalidInput, NotFound, TailraceError, Unreachable
from core.host.records import ExecutionIdentity, NewExecution, ParentLink, PastRow, RecordStore
from core.host.seam import Place
from core.host.views import ExecutionView
from core.loading import parse_yaml
from core.model.codec import SecretText, encode
from core.model.data import data, evolve
from core.model.decisions import Counters
from core.model.flow import Flow
from core.model.inputs import (
    AskedInput,
    Input,
    Render,
    as_texts,
    ask_inputs,
    file_inputs,
    is_declared,
    put,
    resolve_inputs,
    value_at,
)
from core.model.messages import RestartRequested, TaskKey
from core.model.nodes import Step
from core.model.truth import truthy
from core.planner import NOTHING, Facts, continuation, decide
from core.sdk.storage import StorageBackend, StoredFile, is_storage_uri, storage_path
from core.work.evaluate import Evaluation
from core.work.secrets import Redactor
from core.work.tools import Tools
from core.work.variables import revealed

NSFILE = "nsfile://"
SYSTEM = "system."
VECTOR = 12
CORRELATION = "system.correlationId"


@data
class Created:
    """A new execution's id, and what people should know of its inputs and checks."""

    id: str
    warnings: tuple[str, ...]


class Creation:
    """Creates executions for people, and for tasks of other executions (`core.engine.children.OtherFlows`)."""

    def __init__(
        self,
        organization: str,
        records: RecordStore,
        storage: StorageBackend,
        flows: FlowService,
        tools: Callable[[], Tools],
        answers: Callable[[], Answers],
        *,
        local_paths: bool = True,
    ) -> None:
        """local_paths: a FILE input may be the path of a file of this machine; not for callers from elsewhere."""
        self._organization = organization
        self._records = records
        self._storage = storage
        self._flows = flows
        self._tools = tools
        self._answers = answers
        self._local_paths = local_paths

    def create(
        self,
        flow: Flow,
        inputs: Mapping[str, Any],
        labels: Mapping[str, str],
        *,
        parent: ParentLink | None = None,
        trigger: Mapping[str, Any] | None = None,
        due_at: int = 0,
        files: Mapping[str, Path] | None = None,
    ) -> Created:
        """files: local files for FILE inputs, brought by the caller, wherever paths may come from.

        Raises Conflict for a disabled flow and for a check that blocks it; InvalidInput naming every wrong input.
        """
        if flow.disabled:
            raise Conflict(f"the flow {flow.namespace}.{flow.id} is disabled", hint="take `disabled: true` out of it")
        identity = self._identity(flow)
        render = self._renderer(identity)
        brought = {name: str(path) for name, path in (files or {}).items()}
        given = {**inputs, **brought}
        values, problems = resolve_inputs(flow.inputs, given, render, parse_yaml, self.seal(), _written)
        errors = [str(problem) for problem in problems if problem.severity == "error"]
        if errors:
            raise InvalidInput("\n".join(errors), hint=_how_to_give(flow.inputs, "this flow has"))
        warnings = [str(one) for one in problems if one.severity == "warning"]
        failed, said = _checked(flow, values, render)
        folder = f"{execution_prefix(identity)}/inputs"
        stored = self._store_files(flow.inputs, values, folder, identity, frozenset(brought.values()))
        first = ("end", encode({"state": "FAILED", "error": failed})) if failed else ("start", "{}")
        new = self._new(identity, flow, values, labels)
        uses = tuple((file.uri, file.size, file.sha256) for file in stored)
        came_from = encode(dict(trigger)) if trigger else None
        new = evolve(new, files=uses, parent=parent, due_at=due_at, first=first, trigger_json=came_from)
        if not self._records.create_execution(new) and parent is not None:
            # An earlier owner of the parent was interrupted just after it.
            children = self._records.children_of(parent.task_execution_id)
            return Created(next(child.execution_id for child in children if child.index == parent.index), ())
        return Created(identity.id, (*warnings, *said))

    def begin(self, flow: Flow, values: Mapping[str, Any], labels: Mapping[str, str]) -> Created:
        """An execution with inputs that are taken as they stand: nothing is typed, missed or checked."""
        identity = self._identity(flow)
        self._records.create_execution(self._new(identity, flow, values, labels))
        return Created(identity.id, ())

    def _identity(self, flow: Flow) -> ExecutionIdentity:
        """Of a flow as it is stored; one that was only read is stored first."""
        revision = flow.revision or self._flows.keep(flow, local=True).revision
        return ExecutionIdentity(new_id(), self._organization, flow.namespace, flow.id, revision)

    def _new(
        self, identity: ExecutionIdentity, flow: Flow, values: Mapping[str, Any], labels: Mapping[str, str]
    ) -> NewExecution:
        """Executions that belong together say so by a label: a child has that of the one that called it."""
        together = {**flow.labels, **labels}
        together.setdefault(CORRELATION, identity.id)
        return NewExecution(
            identity.id, self._organization, flow.namespace, flow.id, identity.flow_revision, encode(dict(values)),
            together, (), now(),
        )  # fmt: skip

    # -- for tasks of other executions

    def flow_of(self, view: ExecutionView) -> Flow:
        return self._flows.parsed(view.namespace, view.flow_id, view.flow_revision)

    def create_child(self, parent: LiveExecution, request: Mapping[str, Any], link: ParentLink) -> Child:
        flow = self._flows.find(str(request["namespace"]), str(request["flow_id"]), request.get("revision"))
        view = parent.view
        inherited = view.labels if request.get("inherit_labels") else {}
        system = {key: value for key, value in view.labels.items() if key.startswith(SYSTEM)}
        labels = {**inherited, **system, **_labels(request.get("labels"))}
        place = {"namespace": view.namespace, "flowId": view.flow_id, "flowRevision": view.flow_revision}
        trigger = {"executionId": view.id, **place}
        due_at = _micros(request.get("schedule_date"))
        inputs = as_texts(flow.inputs, request.get("inputs") or {}, _written)
        created = self.create(flow, inputs, labels, parent=link, trigger=trigger, due_at=due_at)
        called = f"{flow.namespace}.{flow.id}"
        return Child(created.id, due_at, tuple(f"{called}: {warning}" for warning in created.warnings))

    # -- from an execution that has ended

    def derive(self, view: ExecutionView, what: str, tasks: tuple[TaskKey, ...], revision: int) -> str:
        """Another execution of the same flow and inputs: from the named tasks on, or only what is stale.

        revision: of the flow; what ran as a task that is not in it, or is of another type there, is not kept.
        """
        flow = self._flows.parsed(view.namespace, view.flow_id, revision)
        types = {step.id: step.type for step in flow.steps()}
        rows = [row for row in self._records.past(view.id) if types.get(row.key.task_id) == row.identity.type]
        kept: frozenset[TaskKey] = frozenset()
        again: frozenset[TaskKey] = frozenset()
        first = ("start", "{}")
        if tasks or what == "stale":
            found = continuation(self._facts(view, flow, "CREATED", rows), RestartRequested(what, tasks))
            kept, again = found.kept | found.entered | found.again, found.again
            # What is stale in a group that has its turn later is not copied: that something is missing there is said.
            first = ("restart", restart_json(what, tuple(found.entered) if what == "stale" else tasks))
        new = NewExecution(
            new_id(), self._organization, view.namespace, view.flow_id, revision, encode(view.inputs),
            view.labels, (), now(), first=first,
        )  # fmt: skip
        self._records.derive(new, view.id, tuple(kept), tuple(again))
        return new.id

    def check_restart(self, view: ExecutionView) -> None:
        """Raises Conflict when a restart of an execution that has ended would find nothing to run again."""
        flow = self._flows.parsed(view.namespace, view.flow_id, view.flow_revision)
        facts = self._facts(view, flow, view.state, self._records.past(view.id))
        if NOTHING in decide(facts, RestartRequested()).rules:
            raise Conflict(NOTHING, hint="`executions replay` runs it again as a new execution")

    def _facts(self, view: ExecutionView, flow: Flow, state: str, rows: Sequence[PastRow]) -> Facts:
        """An execution of which nothing runs, as a restart looks at it."""
        steps = {step.id: step for step in flow.steps()}
        answers = self._records.evaluations(view.id)
        return Facts(flow, steps, state, Counters(), {}, now(), view.id, answers, rows=past_tasks(rows))

    # -- inputs

    def resume_inputs(
        self, view: ExecutionView, waiting: Iterable[Step], inputs: Mapping[str, Any], files: Mapping[str, Path]
    ) -> dict[str, Any]:
        """What a person gives to a paused execution, as the message says it: `inputs`, typed as the waiting tasks
        declare them, and `files`, which they name. files: as for `create`. Raises InvalidInput, also for a warning.

        Files lie apart for each time: others of the same name, given before, are still read.
        """
        declared = tuple(one for step in waiting for one in declared_inputs(step))
        identity = ExecutionIdentity(view.id, self._organization, view.namespace, view.flow_id, view.flow_revision)
        render = self._renderer(identity)
        brought = {name: str(path) for name, path in files.items()}
        given = {**inputs, **brought}
        values, problems = resolve_inputs(declared, given, render, parse_yaml, self.seal(), _written)
        known = {one.id for one in declared}
        doubtful = known & given.keys()  # there is no run whose log could warn: it can be given again
        wrong = [one.message for one in problems if one.severity == "error" or one.input in doubtful]
        wrong += [f"`{name}` is not an input of the waiting task" for name in given if not is_declared(name, known)]
        if wrong:
            raise InvalidInput("\n".join(wrong), hint=_how_to_give(declared, "the waiting task takes"))
        folder = f"{execution_prefix(identity)}/resumed/{new_id()}"
        stored = self._store_files(declared, values, folder, identity, frozenset(brought.values()))
        return {"inputs": values, "files": [[file.uri, file.size, file.sha256] for file in stored]}

    def asked(self, flow: Flow, declared: Sequence[Input], given: Mapping[str, Any]) -> tuple[AskedInput, ...]:
        """How inputs stand with what was given so far; nothing is stored."""
        identity = ExecutionIdentity("", self._organization, flow.namespace, flow.id, flow.revision)
        return ask_inputs(declared, given, self._renderer(identity), parse_yaml, self.seal(), _written)

    def seal(self) -> Callable[[str], object] | None:
        """What a value of the type SECRET is kept as; None without a key."""
        tools = self._tools()
        return (lambda text: tools.secrets.sealed(text, tools.entropy(VECTOR))) if tools.secrets.seals else None

    def _renderer(self, identity: ExecutionIdentity) -> Render:
        place = Place(identity.organization_id, identity.namespace, identity.flow_id, identity.id)
        flow = {"id": identity.flow_id, "namespace": identity.namespace, "revision": identity.flow_revision}

        def render(template: Any, inputs: Mapping[str, Any]) -> Any:
            tools = self._tools()
            redactor = Redactor(tools.secrets)
            variables = {"flow": flow, "inputs": inputs} if inputs else {"flow": flow}
            evaluation = Evaluation(place, variables, tools, direct_line(self._answers()), redactor.get)
            return redactor.mark(evaluation.render(template, True))

        return render

    def _namespace_file(self, uri: str, identity: ExecutionIdentity) -> str:
        """Where a file lies, a URI or a path: `nsfile:///path` of the own namespace, `nsfile://namespace/path`."""
        namespace, _, name = uri.removeprefix(NSFILE).partition("/")
        for folder in self._flows.folders:
            top = (folder / "_files").resolve()
            path = (top / name).resolve()
            if top in path.parents and os.path.isfile(path):
                return str(path)
        files = dict(self._records.namespace_files(self._organization, namespace or identity.namespace))
        if name not in files:
            raise InvalidInput(f"there is no file `{name}` in the namespace {namespace or identity.namespace}")
        return files[name]

    def _stored_file(self, uri: str, input_id: str) -> StoredFile:
        try:
            return self._storage.stat(self._organization, storage_path(uri))
        except NotFound as error:
            raise _no_file(input_id, uri) from error

    def _store_files(
        self,
        declared: tuple[Input, ...],
        values: dict[str, Any],
        folder: str,
        identity: ExecutionIdentity,
        brought: frozenset[str],
    ) -> tuple[StoredFile, ...]:
        """Local paths given for FILE inputs become files of the execution, in a folder of the internal storage; URIs
        are checked to be there."""
        stored = []
        for input_id in file_inputs(declared):
            given = value_at(values, input_id)
            if given is None:
                continue
            from_namespace = str(given).startswith(NSFILE)
            given = self._namespace_file(str(given), identity) if from_namespace else given
            if is_storage_uri(given):
                put(values, input_id, given)
                stored.append(self._stored_file(given, input_id))
                continue
            if not (self._local_paths or from_namespace or given in brought):
                raise InvalidInput(
                    f"Invalid input for `{input_id}`, a path of this machine can't be read from elsewhere",
                    expected="the URI of a stored file, or the file itself",
                )
            path = Path(os.path.expanduser(str(given)))
            if not os.path.isfile(path):  # unlike those of Path, both take any text
                raise _no_file(input_id, given)
            target = f"{folder}/{input_id}/{path.name}"
            try:
                file = self._storage.put(self._organization, target, path)
            except OSError as error:
                raise Unreachable(f"the file can't be read: {error.strerror}", where=str(path)) from error
            put(values, input_id, file.uri)
            stored.append(file)
        return tuple(stored)


def _no_file(input_id: str, given: str) -> InvalidInput:
    if "://" not in given or is_storage_uri(given):
        return InvalidInput(f"Invalid input for `{input_id}`, there is no file, but received `{given}`")
    return InvalidInput(
        f"Invalid input for `{input_id}`, Invalid URI format, but received `{given}`",
        expected="the path of a file, or `storage:///…` or `nsfile:///…` of a stored one",
    )


def _holds(condition: str, values: Mapping[str, Any], render: Render) -> bool:
    """Whether a check is passed; one that can't be rendered is not."""
    try:
        found = render(condition, values)
    except TailraceError:
        return False
    return truthy(expressions.printed(found, UTC))


def _checked(flow: Flow, values: Mapping[str, Any], render: Render) -> tuple[str, list[str]]:
    """(why the execution is to fail at once or "", what is only said). Raises Conflict for a check that blocks it."""
    failed, said = "", []
    for check in flow.checks:
        if _holds(check.condition, values, render):
            continue
        if check.behavior == "BLOCK_EXECUTION":
            raise Conflict(check.message, where=f"{flow.namespace}.{flow.id}", hint=f"its check: {check.condition}")
        if check.behavior == "FAIL_EXECUTION":
            failed = failed or check.message
        else:
            said.append(check.message)
    return failed, said


def _micros(date: object) -> int:
    """A date of a request in microseconds since 1970 UTC, 0 for none. Raises InvalidInput."""
    if date is None:
        return 0
    try:
        moment = date if isinstance(date, datetime) else datetime.fromisoformat(str(date))
    except ValueError:
        raise InvalidInput(f"`{date}` is not a date and time", expected="such as 2026-11-22T10:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def _written(value: Any) -> Any:
    """A value as `{{ … }}` writes it; as it is when a secret is in it: what that then is as text can't be told."""
    return value if _has_secret(value) else _text(value)


def _has_secret(value: object) -> bool:
    """Whether a secret is in a value."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return isinstance(value, SecretText) or any(map(_has_secret, inner))


def _text(value: object) -> str:
    """A value as `{{ … }}` writes it; secrets in it can't be read."""
    return expressions.printed(revealed(value, lambda *_: "••••"), UTC)


def _labels(given: object) -> dict[str, str]:
    """Labels of a request: a map, or a list of `key` and `value`. Raises InvalidInput."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(key): _text(value) for key, value in given.items()}
    if isinstance(given, list) and all(isinstance(one, Mapping) and {"key", "value"} <= one.keys() for one in given):
        return {str(one["key"]): _text(one["value"]) for one in given}
    raise InvalidInput(f"{given!r} are no labels", expected="a map, or a list of `key` and `value`")


def _how_to_give(declared: Iterable[Input], who_has: str) -> str:
    names = ", ".join(f"{one.id} ({one.type})" for one in declared)
    return f"give inputs as -i NAME=VALUE; {who_has}: {names or 'none'}"


def declared_inputs(step: Step | None) -> Sequence[Input]:
    """What a person gives to a Pause when letting it go on."""
    written = step.properties.get("onResume") if step else None
    return tuple(one for one in written if isinstance(one, Input)) if isinstance(written, (list, tuple)) else ()
