"""What expressions in an execution may read: the variables of its places, outputs at hand or by question."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from core.engine.clock import as_instant
from core.engine.items import Answers, Loops
from core.engine.needs import Needs, needs_of
from core.host.records import ExecutionIdentity, RecordStore, StoredOutput, TaskIdentity
from core.host.seam import LoopOutputs, OutputReference, OutputText, Shipped
from core.host.views import ExecutionView
from core.model.flow import Flow
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.model.nodes import Group, Step, children_of
from core.model.state import ENDED
from core.planner import VALUES, TaskFacts

CACHE_BYTES = 32 * 1024 * 1024
_OF_ENDED = frozenset({"endDate", "outputs"})
"""What is known of an execution only when it has ended."""
Address = tuple[str, tuple[str, ...]]
"""A task and the values of the loops around it: where an output is found, whatever its turn."""


class Variables:
    """The variables of one execution. tasks, identities: those that have not ended, kept by its owner.

    answers: of evaluations that tasks which have not ended still need.
    fresh: nothing of it ran before, so that every output it has was remembered here. turn: see `restarted`.
    """

    def __init__(
        self,
        view: ExecutionView,
        flow: Flow,
        identity: ExecutionIdentity,
        records: RecordStore,
        tasks: Mapping[TaskKey, TaskFacts],
        identities: Mapping[TaskKey, TaskIdentity],
        answers: Answers,
        *,
        fresh: bool,
        turn: int = 0,
    ) -> None:
        self.base = base_variables(view, flow, state="RUNNING")
        self._identity = identity
        self._steps = {step.id: step for step in flow.steps()}
        self.loops = Loops(flow)
        self._looped = frozenset(self.loops.around)
        self._records = records
        self._tasks = tasks
        self._identities = identities
        self._answers = answers
        self._needs: dict[str, Needs] = {}
        self._cache: dict[Address, OutputText | OutputReference | None] = {}
        self._cached_bytes = 0
        self._complete = fresh
        self._in_loops: set[str] = set()
        self._unsure: set[str] = set() if fresh else set(self._looped)
        self._behind = _behind(flow)
        self._turn = turn

    # -- what there is

    def remember(self, key: TaskKey, output: OutputText | OutputReference | None) -> None:
        """Keep an output at hand, as it was recorded; the record has what falls out."""
        if key.path and output is not None:
            self._in_loops.add(key.task_id)
        self.forget(key)
        self._cache[key.task_id, key.path] = output
        self._cached_bytes += _weight(output)
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            self._cached_bytes -= _weight(self._cache.pop(next(iter(self._cache))))
            self._complete = False

    def forget(self, key: TaskKey) -> None:
        """A task that is to run again gives its output anew."""
        place = key.task_id, key.path
        if place in self._cache:
            self._cached_bytes -= _weight(self._cache.pop(place))

    def restarted(self, turn: int) -> None:
        """What ran behind the flow's tasks before a restart, at an earlier turn than this, is not seen any more."""
        self._turn = turn
        self._in_loops -= self._behind
        self._unsure -= self._behind
        for name, path in [place for place in self._cache if place[0] in self._behind]:
            self.forget(TaskKey(name, path))

    def _counts(self, key: TaskKey) -> bool:
        return key.turn >= self._turn or key.task_id not in self._behind

    def set(self, name: str, value: object) -> None:
        """Change a variable that is the same everywhere in the execution."""
        self.base[name] = value

    def entered(self, state: str, at: int) -> None:
        """The execution is in another state; when it has ended, what runs afterwards sees when, and its outputs."""
        shown = {**self.base["execution"], "state": state}
        if state in ENDED:
            shown["endDate"] = as_instant(at)
        else:
            for name in _OF_ENDED & shown.keys():
                del shown[name]
        self.base["execution"] = shown

    def gave(self, outputs: Mapping[str, Any]) -> None:
        """The outputs of the flow are known."""
        self.base["execution"] = {**self.base["execution"], "outputs": outputs}

    # -- what a place sees

    def needs(self, step: Step) -> Needs:
        """What the expressions of a task name, looked at once."""
        if step.id not in self._needs:
            texts = [*step.properties.values(), step.timeout, step.run_if]
            for member in step.node.children if isinstance(step.node, Group) else ():
                texts += [*member.properties.values(), member.timeout, member.run_if]
            self._needs[step.id] = needs_of(texts)
        return self._needs[step.id]

    def of(self, key: TaskKey, needs: Needs) -> dict[str, Any]:
        """The variables of a place in the flow, as far as they are named there."""
        variables = dict(self.base)
        variables["outputs"] = self._outputs(key, needs) if needs.outputs is None or needs.outputs else {}
        if needs.tasks is None or needs.tasks:
            variables["tasks"] = self._task_states(needs.tasks)
        if key != ROOT:
            variables["task"] = {"id": key.task_id, "type": self._steps[key.task_id].type}
            variables["taskrun"] = self._taskrun(key)
            if self.loops.in_item(key.task_id):
                variables["item"] = self.loops.item(key, self._tasks, self._answers)
            if needs.parents and (parents := self._parents(key)):
                variables["parents"] = parents
        return variables

    def of_iteration(self, loop: TaskKey, number: int, needs: Needs) -> dict[str, Any]:
        """As seen in an iteration of a loop over items, when its tasks are over."""
        names = self._answers[EvaluationKey(loop, VALUES)][0]
        if not names:  # of the loop as a whole, which has no iterations
            return self.of(loop, needs)
        first = children_of(self._steps[loop.task_id].node)[0]
        inside = TaskKey(first.id, (*loop.path, names[number]), loop.turn)
        variables = self.of(loop, Needs(frozenset(), needs.tasks, needs.parents))
        variables["outputs"] = self._outputs(inside, needs) if needs.outputs is None or needs.outputs else {}
        variables["item"] = self.loops.item_of(loop, number, inside.path[-1], self._tasks, self._answers)
        return variables

    def _taskrun(self, key: TaskKey) -> dict[str, Any]:
        identity, task = self._identities.get(key), self._tasks.get(key)
        taskrun: dict[str, Any] = {
            "id": identity.id if identity else "",
            "startDate": as_instant(task.since) if task else self.base["execution"]["startDate"],
            "attemptsCount": max(identity.attempt - 1, 0) if identity else 0,
        }
        if identity and identity.parent_id:
            taskrun["parentId"] = identity.parent_id
        if task is not None and task.iteration is not None:
            taskrun["value"] = key.path[-1]
            taskrun["iteration"] = task.iteration
        return taskrun

    def _parents(self, key: TaskKey) -> list[dict[str, Any]]:
        """The groups around a task that have a value or outputs, the closest first (reference, section 8.2)."""
        found = []
        task = self._tasks.get(key)
        while task is not None and task.parent != ROOT:
            above, task = task.parent, self._tasks.get(task.parent)
            shown: dict[str, Any] = {}
            if task is not None and task.iteration is not None:
                shown["taskrun"] = {"value": above.path[-1]}
            output = self.at(above.task_id, above.path)
            if output is not None:
                shown["outputs"] = output
            if shown:
                found.append(shown)
        return found

    def _task_states(self, wanted: Set[str] | None) -> dict[str, Any]:
        """`tasks.<id>.state` of what is asked for and began; below loops `tasks.<id>['value'].state`. Where one is
        missing, of everything, so that people are told what there is.
        """
        states: dict[str, Any] = {}
        for key, state in self._records.states_of(self._identity.id, None if wanted is None else sorted(wanted)):
            if not self._counts(key):
                continue
            place = states
            for name in (key.task_id, *key.path):
                place = place.setdefault(name, {})
            place["state"] = state
        return states if wanted is None or wanted <= states.keys() else self._task_states(None)

    # -- outputs

    def _outputs(self, key: TaskKey, needs: Needs) -> dict[str, Shipped]:
        """Those that are read; where one is missing, also what is at hand, so that people are told what there is."""
        wanted = needs.outputs
        if wanted is None:
            plain = self._plain() if self._complete else self._recorded(self._steps.keys() - self._looped)
            found: dict[str, Shipped] = dict(plain)
            found.update({name: self._seen(name, key) for name in self._looped if self._gave(name)})
            return {name: found[name] for name in self._steps if name in found}
        found = {}
        for name in wanted:
            if name in self._looped:
                if self._gave(name):
                    found[name] = self._seen(name, key)
            elif (shown := self._cache.get((name, ()))) is not None:
                found[name] = shown
        missing = wanted - found.keys()
        if missing and not self._complete:
            recorded = self._recorded({name for name in missing if (name, ()) not in self._cache})
            for name, output in recorded.items():
                self.remember(TaskKey(name), output)  # who reads it once in a loop reads it again
            found.update(recorded)
        return found if len(found) == len(wanted) else {**self._plain(), **found}

    def at(self, name: str, path: tuple[str, ...]) -> OutputText | OutputReference | None:
        """The output of a task for these values of the loops around it, and no others."""
        if (name, path) not in self._cache and not self._complete:
            stored, _ = self._records.outputs_at(self._identity.id, name, path)
            return None if stored is None else shipped(stored)
        return self._cache.get((name, path))

    def _gave(self, name: str) -> bool:
        """Whether a task below a loop has any output; what it gave under another owner is looked up, once."""
        if name in self._unsure:
            self._unsure.discard(name)
            if self._is_seen(name) and self._records.outputs_at(self._identity.id, name, ())[1]:
                self._in_loops.add(name)
        return name in self._in_loops

    def _is_seen(self, name: str) -> bool:
        """Whether a task may be seen; of one behind the flow's tasks it is looked up whether it ran since a restart."""
        if not self._turn or name not in self._behind:
            return True
        return any(self._counts(key) for key, _ in self._records.states_of(self._identity.id, [name]))

    def _plain(self) -> dict[str, Shipped]:
        return {name: output for (name, path), output in self._cache.items() if output is not None and not path}

    def _seen(self, name: str, key: TaskKey) -> Shipped:
        """The output of a task below a loop; in an iteration with an item that of the iteration itself."""
        path = self.loops.shared(name, key)
        return (None if path is None else self.at(name, path)) or self._in_loop(name, key)

    def _in_loop(self, name: str, key: TaskKey) -> LoopOutputs:
        """The outputs of a task below a loop: those of the values around this place at hand, the others by question."""
        known = {}
        for depth in range(1, len(key.path) + 1):
            path = key.path[:depth]
            output = self._cache.get((name, path))
            if output is not None:
                known[path] = output
        return LoopOutputs(name, known)

    def _recorded(self, wanted: Set[str]) -> dict[str, OutputText | OutputReference]:
        found: dict[str, OutputText | OutputReference] = {}
        for key, _, stored in self._records.outputs_of(self._identity.id, sorted(wanted)) if wanted else ():
            if stored is not None and not key.path and self._counts(key):
                found[key.task_id] = shipped(stored)
        return found


def shipped(stored: StoredOutput) -> OutputText | OutputReference:
    """A recorded output as jobs carry it."""
    return OutputText(stored.text) if stored.text is not None else OutputReference(stored.uri or "", stored.size)


def _behind(flow: Flow) -> frozenset[str]:
    """Ids of what runs behind a flow's tasks: under its `errors`, `finally` and `afterExecution`."""
    found = set()
    stack = [*flow.root.policy.errors, *flow.root.policy.finally_, *flow.after_execution]
    while stack:
        step = stack.pop()
        found.add(step.id)
        stack.extend(children_of(step.node))
    return frozenset(found)


def _weight(output: OutputText | OutputReference | None) -> int:
    return len(output.text) if isinstance(output, OutputText) else 64


def nested(labels: Mapping[str, str]) -> dict[str, Any]:
    """Labels as expressions see them: `system.from` is read as `labels.system.from`."""
    found: dict[str, Any] = {}
    for name, value in labels.items():
        place = found
        *parents, last = name.split(".") if name.startswith("system.") else [name]
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return found


def base_variables(view: ExecutionView, flow: Flow, *, state: str) -> dict[str, Any]:
    """The variables that are the same everywhere in an execution."""
    execution: dict[str, Any] = {
        "id": view.id,
        "startDate": as_instant(view.created_at),
        "originalId": view.original_id or view.id,
        "state": state,
    }
    if view.outputs:
        execution["outputs"] = view.outputs
    base: dict[str, Any] = {
        "flow": {"id": view.flow_id, "namespace": view.namespace, "revision": view.flow_revision},
        "execution": execution,
        "labels": nested(view.labels),
    }
    if view.inputs:
        base["inputs"] = view.inputs
    changed = view.variables if view.variables is not None else flow.variables
    if changed:
        base["vars"] = changed
    if view.trigger:
        base["trigger"] = view.trigger
    return base
