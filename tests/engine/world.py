"""An engine on real records whose far side does exactly what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from core.engine.answers import Answers
from core.engine.children import Child
from core.engine.engine import Engine
from core.engine.live import LiveExecution
from core.errors import NotFound
from core.host.executor import Executor
from core.host.records import NewExecution, ParentLink, Refused, Unit
from core.host.seam import Down, EvaluationJob, EvaluationResult, LogLine, TaskJob, TaskResult, Up
from core.host.views import ExecutionView, Happening
from core.model.flow import Flow, FlowOutput
from core.model.nodes import Sequence as Sequential
from core.model.nodes import Step, Work
from core.records import SqliteRecords
from tests.waiting import PATIENCE

ORGANIZATION = "default"


class Counting(SqliteRecords):
    """Records that keep each commit in mind, and can refuse to write."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, durable=False, now=1)
        self.commits: list[list[Unit]] = []
        self.before: Callable[[Sequence[Unit]], None] = lambda units: None

    def commit(self, units: Sequence[Unit]) -> tuple[Refused, ...]:
        self.before(units)
        self.commits.append(list(units))
        return super().commit(units)


class Hands(Executor):
    """Does nothing but what `does` says: the messages to tell for each that is sent."""

    def __init__(self, tell: Callable[[Up], None], does: Callable[[Down], Sequence[Up]], sent: list[Down]) -> None:
        super().__init__(tell)
        self._does = does
        self._sent = sent

    def send(self, message: Down) -> None:
        self._sent.append(message)
        for answer in self._does(message):
            self.tell(answer)

    def close(self) -> None:
        """Nothing runs."""


class NoOtherFlows:
    """Stands for the flows that a task may call: there are none."""

    def flow_of(self, view: ExecutionView) -> Flow:
        raise NotFound(f"there is no flow {view.flow_id}")

    def seal(self) -> None:
        """There is no key."""

    def create_child(self, parent: LiveExecution, request: Mapping[str, Any], link: ParentLink) -> Child:
        raise NotFound(f"there is no flow {request['flow_id']}")


def succeed(message: Down) -> Sequence[Up]:
    """Every task succeeds with its own name, every evaluation gives "true"."""
    if isinstance(message, TaskJob):
        return [ended(message)]
    return [EvaluationResult(message.ticket, '"true"')] if isinstance(message, EvaluationJob) else []


def only_end(message: Down) -> Sequence[Up]:
    """What runs goes on for ever; what only ends something has done so."""
    if isinstance(message, TaskJob) and message.ends:
        return [TaskResult(message.attempt_id, "KILLED", 1, 2, error="the execution was killed")]
    return []


def ended(job: TaskJob, state: str = "SUCCESS", output: str | None = None, **more: Any) -> TaskResult:
    text = output or f'{{"value":"{job.place.task_name}"}}'
    return TaskResult(job.attempt_id, state, 1, 2, output=text, size=len(text), sha256="00", preview=text, **more)


def line(job: TaskJob, message: str) -> LogLine:
    return LogLine(job.attempt_id, 1, "INFO", message)


def task(name: str, **settings: Any) -> Step:
    return Step(name, "debug.Return", Work(), **settings)


def chain(count: int, **settings: Any) -> list[Any]:
    return [task(f"t{number}", **settings) for number in range(count)]


@define
class World:
    """Records, an engine, what was sent down, and what was told to those who follow."""

    home: Path
    records: Counting = field(init=False)
    engine: Engine = field(init=False)
    hands: Hands = field(init=False)
    does: Callable[[Down], Sequence[Up]] = succeed
    sent: list[Down] = field(factory=list)
    told: list[Happening] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.records = Counting(self.home)
        self.records.register_engine("engine-1", 1)
        self.engine = self.another("engine-1")

    def another(self, name: str) -> Engine:
        def hands(tell: Callable[[Up], None]) -> Hands:
            self.hands = Hands(tell, lambda one: self.does(one), self.sent)
            return self.hands

        return Engine(name, self.records, Answers(self.records), lambda organization: NoOtherFlows(), hands)

    def own(
        self, *steps: Step, name: str = "e1", outputs: tuple[FlowOutput, ...] = (), after: tuple[Step, ...] = ()
    ) -> Flow:
        """Create an execution of these tasks and let the engine own it. after: what runs after its end."""
        flow = Flow("flow", "tests", Sequential(steps), outputs=outputs, after_execution=after)
        self.records.create_execution(NewExecution(name, ORGANIZATION, "tests", "flow", 1, "{}", {}, (), 1))
        self.engine.own(name, flow, self.told.append)
        return flow

    def run(self, *steps: Step, **more: Any) -> None:
        self.own(*steps, **more)
        self.engine.run()

    def state(self, name: str = "e1") -> str:
        view = self.records.execution(ORGANIZATION, name)
        assert view is not None
        return view.state

    def jobs(self) -> list[str]:
        return [one.place.task_name for one in self.sent if isinstance(one, TaskJob)]

    def states(self, name: str = "e1") -> list[tuple[str, str]]:
        return [(view.task_name, view.state) for view in self.records.task_executions(ORGANIZATION, name)]


@contextmanager
def running(world: World) -> Iterator[list[BaseException]]:
    """The engine runs in a thread of its own; what it raised is in the list after the block."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            world.engine.run()
        except BaseException as error:  # noqa: BLE001 # the test looks at it
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield raised
    finally:
        thread.join(PATIENCE)
        if thread.is_alive():
            world.engine.interrupt()
            world.engine.interrupt()
            thread.join(PATIENCE)
            pytest.fail("the engine did not come to an end")
