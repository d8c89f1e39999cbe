"""Runs executions in this process: preflight, an engine, and its end."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.app.creation import Creation
from core.app.flows import FlowService
from core.app.sweep import sweep
from core.engine.answers import Answers
from core.engine.clock import new_id, now
from core.engine.engine import Engine
from core.errors import ConversionError, InvalidFlow, NotFound, Unreachable
from core.host.records import RecordStore
from core.host.views import ExecutionView, Happening
from core.model.flow import Flow
from core.model.nodes import Call, Group, Sequence, Step, Work
from core.registry import Registry
from core.registry.convert import build
from core.sdk.runners import TaskRunner
from core.sdk.tasks import RunnableTask
from core.sdk.wishes import Requirement, RunnerChoice
from core.settings import Settings
from core.work import ThreadExecutor, Tools
from core.work.runners import DOCKER, OTHER_RUNNER, choose_runner, unavailable_reason

SWITCH_SECONDS = 0.0005


class _Run:
    """One execution that is worked on. What interrupts it before its engine is there is told to the engine then."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._early = 0

    def has(self, engine: Engine) -> None:
        self._engine = engine
        for _ in range(self._early):
            engine.interrupt()

    def interrupt(self) -> None:
        if self._engine is None:
            self._early += 1
        else:
            self._engine.interrupt()


class Runs:
    """An engine for each execution it works on; `interrupt` reaches them from a signal handler."""

    def __init__(
        self,
        settings: Settings,
        records: RecordStore,
        flows: FlowService,
        creation: Creation,
        registry: Registry,
        tools: Callable[[str | None], Tools],
        answers: Callable[[Path | None], Answers],
    ) -> None:
        self._settings = settings
        self._records = records
        self._flows = flows
        self._creation = creation
        self._registry = registry
        self._tools = tools
        self._answers = answers
        self._running: list[_Run] = []

    def run(
        self,
        view: ExecutionView,
        follow: Callable[[Happening], None] | None,
        runner: str | None,
        local_files: Path | None,
    ) -> None:
        """Work on one execution until it has ended. Raises Conflict when somebody else owns it."""
        with self._interruptible() as running:
            flow = self._flows.parsed(view.namespace, view.flow_id, view.flow_revision)
            self._work(running, view, flow, follow, runner, local_files)

    def end(self, view: ExecutionView) -> None:
        """End an execution that was told to: nothing of it begins but its `afterExecution`, and what outlived its
        engine is ended. Its plugins need not be there any more: then it ends without either. Raises Conflict when
        somebody else owns it.
        """
        nothing = Flow(view.flow_id, view.namespace, Sequence(()))
        with self._interruptible() as running:
            self._work(running, view, self._known(view) or nothing, None, None, None, go_on=False)

    def with_tail(self, view: ExecutionView) -> Flow | None:
        """The flow of an execution, where something runs after the execution's end."""
        flow = self._known(view)
        return flow if flow and any(not step.disabled for step in flow.after_execution) else None

    def _known(self, view: ExecutionView) -> Flow | None:
        """The flow of an execution, where it can still be had."""
        try:
            return self._flows.parsed(view.namespace, view.flow_id, view.flow_revision)
        except (NotFound, InvalidFlow):
            return None

    def _work(
        self,
        running: _Run,
        view: ExecutionView,
        flow: Flow,
        follow: Callable[[Happening], None] | None,
        runner: str | None,
        local_files: Path | None,
        *,
        go_on: bool = True,
    ) -> None:
        tools = self._tools(runner)
        engine_id = new_id()
        self._records.register_engine(engine_id, now())
        engine = Engine(
            engine_id,
            self._records,
            self._answers(local_files),
            lambda organization: self._creation,
            lambda tell: ThreadExecutor(tell, tools, self._settings.workers),
        )
        # A busy task must not hold the loop up: hand the interpreter over ten times as often as is the default.
        before = sys.getswitchinterval()
        sys.setswitchinterval(min(before, SWITCH_SECONDS))
        gc.freeze()  # what was loaded stays as long as the run: the collector need not look through it again
        try:
            running.has(engine)
            engine.own(view.id, flow, follow, go_on=go_on)
            engine.run()
            sweep(self._settings.organization, self._records, tools.storage)
        finally:
            engine.close()
            self._records.forget_engine(engine_id)
            gc.unfreeze()
            if before > SWITCH_SECONDS:  # else another run in this process has set it, and sets it back
                sys.setswitchinterval(before)

    def interrupt(self) -> None:
        for running in tuple(self._running):
            running.interrupt()

    @contextmanager
    def _interruptible(self) -> Iterator[_Run]:
        running = _Run()
        self._running.append(running)
        try:
            yield running
        finally:
            self._running.remove(running)

    # -- before a run

    def preflight(self, flow: Flow, runner: str | None, execution_id: str | None) -> tuple[str, ...]:
        """What people should know before the run. Raises Unreachable for what can't work on this machine."""
        lines = list(dict.fromkeys(self._needs(flow, runner or self._settings.runner, set())))
        lost = self._records.abandoned(self._settings.organization, "")
        left = [one for one in lost if all(other != execution_id for other in self._with_callers(one))]
        if left:
            lines.append(
                f"{len(left)} earlier execution{'s were' if len(left) > 1 else ' was'} interrupted; "
                f"`{self._settings.product.command} executions list --status running` shows them"
            )
        return tuple(lines)

    def _with_callers(self, execution_id: str) -> Iterator[str]:
        """An execution, the one that called it, and so on."""
        yield execution_id
        link = self._records.parent_of(execution_id)
        while link is not None:
            yield link.execution_id
            link = self._records.parent_of(link.execution_id)

    def _needs(self, flow: Flow, setting: str, seen: set[tuple[str, str]]) -> Iterator[str]:
        """Of a flow and of those that it calls, as far as they are named without expressions."""
        seen.add((flow.namespace, flow.id))
        for step in flow.steps():
            if step.disabled:
                continue
            if isinstance(step.node, (Work, Group)):
                for requirement in self._requirements(step):
                    if line := self._met(step, requirement, setting):
                        yield line
            elif isinstance(step.node, Call):
                yield from self._needs_of_called(step, step.node, setting, seen)

    def _needs_of_called(self, step: Step, call: Call, setting: str, seen: set[tuple[str, str]]) -> Iterator[str]:
        namespace, flow_id = str(call.request.get("namespace")), str(call.request.get("flow_id"))
        if "{" in namespace + flow_id or (namespace, flow_id) in seen:
            return
        try:
            called = self._flows.find(namespace, flow_id)
        except NotFound:
            yield f"{step.id}: there is no flow {namespace}.{flow_id}: the task will fail when it is reached"
        else:
            yield from self._needs(called, setting, seen)

    def _requirements(self, step: Step) -> tuple[Requirement, ...]:
        cls = self._registry.resolve(step.type)
        if not issubclass(cls, RunnableTask) or cls.requires is RunnableTask.requires:
            return ()
        try:
            return build(cls, step.properties, self._registry, expressions=True).requires()
        except ConversionError:
            # Only known once its expressions are rendered: the attempt will tell.
            return ()

    def _met(self, step: Step, requirement: Requirement, setting: str) -> str:
        environment = self._settings.environment
        if requirement.need != "runner" or "{" in requirement.image:
            return ""
        try:
            if requirement.requested:
                reason = unavailable_reason(self._runner_type(requirement.requested), environment)
                if reason:
                    raise Unreachable(reason, hint=OTHER_RUNNER)
                return ""
            choice = RunnerChoice(
                requirement.image, requirement.official, None, requirement.setting, requirement.stand_in
            )
            _, line = choose_runner(
                choice, setting, lambda: unavailable_reason(self._runner_type(DOCKER), environment),
                lambda name: _Named(), lambda chosen: "",
            )  # fmt: skip
        except Unreachable as error:
            error.where = error.where or f"task {step.id}"
            raise
        return f"{step.id}: {line}" if line else ""

    def _runner_type(self, name: str) -> type[TaskRunner] | None:
        try:
            found = self._registry.resolve(name)
        except NotFound:
            return None
        return found if issubclass(found, TaskRunner) else None


class _Named(TaskRunner):
    """Stands for a runner that is only chosen, not used."""

    def run(self, ctx: object, command: object) -> object:  # type: ignore[override]
        raise NotFound("a runner that was only chosen can't run")
