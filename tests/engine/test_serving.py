"""An engine that serves: what it claims, lets go and ends, and that no execution harms another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.engine import timers
from core.engine.answers import Answers
from core.engine.clock import now
from core.engine.live import LiveExecution
from core.engine.recovering import WORN_OUT
from core.engine.serving import EndlessEngine
from core.errors import InvalidFlow, Unreachable
from core.host.executor import Executor
from core.host.records import NewExecution, Unit
from core.host.seam import Down, Stop, TaskJob, TaskResult, Up
from core.host.views import ExecutionView
from core.model.flow import Flow, Sla
from core.model.nodes import Concurrency, Step
from core.model.nodes import Sequence as Sequential
from tests.engine.world import ORGANIZATION, Counting, Hands, NoOtherFlows, ended, line, only_end, succeed, task
from tests.waiting import PATIENCE, until

LONG_AGO = 1
A_SECOND = 1_000_000


class Flows(NoOtherFlows):
    """The flows of an organization, by id."""

    def __init__(self, flows: Mapping[str, Flow]) -> None:
        self._flows = flows

    def flow_of(self, view: ExecutionView) -> Flow:
        if view.flow_id not in self._flows:
            raise InvalidFlow((f"{view.flow_id}: its plugin is gone",))
        return self._flows[view.flow_id]


class Server:
    """Records, and engines on them that serve in threads of their own."""

    def __init__(self, home: Path) -> None:
        self.records = Counting(home)
        self.flows: dict[str, dict[str, Flow]] = {}
        self.does: Callable[[Down], Sequence[Up]] = succeed
        self.sent: list[Down] = []
        self.gate = threading.Event()

    def new(
        self, name: str, *steps: Step, flow: str = "", organization: str = ORGANIZATION, at: int = LONG_AGO, due: int = 0,
        **settings: Any,
    ) -> None:
        """An execution that nobody works on."""
        flow = flow or f"flow-{name}"
        if steps:
            known = self.flows.setdefault(organization, {})
            known[flow] = Flow(flow, "tests", Sequential(steps), **settings)
        self.records.create_execution(
            NewExecution(name, organization, "tests", flow, 1, "{}", {}, (), at, due_at=due)
        )

    @contextmanager
    def serving(self, name: str = "engine-1", *, limit: int = 10, forget: bool = True) -> Iterator[EndlessEngine]:
        """An engine until the end of the block. What it raised is raised there."""
        raised: list[BaseException] = []

        def hands(tell: Callable[[Up], None]) -> Executor:
            return Hands(tell, lambda one: self.does(one), self.sent)

        def flows_of(organization: str) -> Flows:
            return Flows(self.flows.get(organization, {}))

        def run() -> None:
            try:
                engine.run()
            except BaseException as error:  # noqa: BLE001 # the test looks at it
                raised.append(error)

        self.records.register_engine(name, 1)
        engine = EndlessEngine(name, self.records, Answers(self.records), flows_of, hands, limit=limit)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield engine
        finally:
            engine.leave()
            thread.join(PATIENCE)
            assert not thread.is_alive()
            if forget:
                self.records.forget_engine(name)
        if raised:
            raise raised[0]

    def view(self, name: str, organization: str = ORGANIZATION) -> ExecutionView:
        view = self.records.execution(organization, name)
        assert view is not None
        return view

    def state(self, name: str) -> str:
        return self.view(name).state

    def owner(self, name: str) -> str | None:
        owner: str | None = self.records._db.read("owner", (name,))[0][0]
        return owner

    def tasks(self, name: str) -> list[tuple[str, str]]:
        return [(view.task_name, view.state) for view in self.records.task_executions(ORGANIZATION, name)]

    def jobs(self) -> list[tuple[str, str, int]]:
        return [
            (one.place.flow_execution_id, one.place.task_name, one.attempt) for one in self.sent
            if isinstance(one, TaskJob)
        ]  # fmt: skip


def never_ends(message: Down) -> Sequence[Up]:
    """Tasks named `long` run for ever."""
    return () if isinstance(message, TaskJob) and message.place.task_name == "long" else succeed(message)


def waits(seconds: float) -> Callable[[Down], Sequence[Up]]:
    """Tasks give their thread back once, for so long."""

    def does(message: Down) -> Sequence[Up]:
        if isinstance(message, TaskJob) and message.waited is None:
            due = now() + int(seconds * 1_000_000)
            return [TaskResult(message.attempt_id, "RUNNING", 1, 2, due_at=due, wait_state="{}")]
        return succeed(message)

    return does


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.records.close()


# -- what is claimed


def test_executions_of_all_organizations_run_in_one_engine(server: Server) -> None:
    server.records._db.execute("INSERT INTO organizations (id, name, created_at) VALUES ('other', 'other', 0)")
    names = [(f"e{number}", ("default", "other")[number % 2]) for number in range(30)]
    for name, organization in names:
        server.new(name, task("a"), task("b"), organization=organization)
    with server.serving():
        until(lambda: all(server.view(*one).state == "SUCCESS" for one in names))
        until(lambda: not any(server.owner(name) for name, _ in names))
    assert sorted(server.jobs()) == sorted((name, one, 1) for name, _ in names for one in "ab")


def test_a_new_execution_is_left_to_its_creator_for_a_second_unless_it_is_submitted(server: Server) -> None:
    with server.serving() as engine:
        server.new("e1", task("a"), at=now() + A_SECOND)  # two seconds, so that a busy machine is soon enough
        server.new("e2", task("a"), at=now())
        engine.submit(ORGANIZATION, "e2")
        until(lambda: server.state("e2") == "SUCCESS")
        assert server.state("e1") == "CREATED"
        until(lambda: server.state("e1") == "SUCCESS")


def test_a_message_to_one_that_rests_is_heard(server: Server) -> None:
    server.does = waits(3600)
    server.new("e1", task("a"))
    with server.serving():
        until(lambda: server.tasks("e1") == [("a", "RUNNING")] and server.owner("e1") is None)
        server.records.send("e1", "kill", "{}", now())
        until(lambda: server.state("e1") == "KILLED")


def test_what_rests_has_no_owner_until_its_time_has_come(server: Server) -> None:
    server.does = waits(1.6)
    server.new("e1", task("a"), task("b"))
    with server.serving() as engine:
        until(lambda: server.tasks("e1") == [("a", "RUNNING")] and server.owner("e1") is None)
        assert engine.working_on() == 0
        until(lambda: server.state("e1") == "SUCCESS")
    assert server.jobs() == [("e1", "a", 1), ("e1", "a", 1), ("e1", "b", 1), ("e1", "b", 1)]


def test_no_more_is_owned_than_the_limit_and_the_rest_follows(server: Server) -> None:
    server.does = never_ends
    for number in range(6):
        server.new(f"long-{number}", task("long"))
    with server.serving(limit=4) as engine:
        until(lambda: engine.working_on() == 4)
        time.sleep(0.2)
        assert engine.working_on() == 4
        server.does = succeed
        for one in list(server.sent):
            assert isinstance(one, TaskJob)
            engine._tell(ended(one))
        until(lambda: {server.state(f"long-{number}") for number in range(6)} == {"SUCCESS"})


def test_those_that_wait_for_a_slot_of_their_flow_run_one_after_the_other_and_take_no_room(server: Server) -> None:
    for number in range(12):
        server.new(f"e{number:02}", task("a"), flow="narrow", concurrency=Concurrency(1, "QUEUE"), at=number + 1)
    with server.serving(limit=2):
        until(lambda: all(server.state(f"e{number:02}") == "SUCCESS" for number in range(12)))
    assert [name for name, _, _ in server.jobs()] == [f"e{number:02}" for number in range(12)]


# -- what is forgotten


def test_the_times_that_ended_executions_had_are_forgotten(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "MANY", 3)
    an_hour = (Sla("s", "FAIL", max_duration=3_600_000_000),)
    for number in range(40):
        server.new(f"e{number:02}", task("a"), sla=an_hour, at=now())
    with server.serving() as engine:
        until(lambda: all(server.state(f"e{number:02}") == "SUCCESS" for number in range(40)))
        until(lambda: engine.working_on() == 0)
        assert len(engine._acting.sla._timers._heap) <= 20


# -- what is broken


def test_a_flow_that_is_gone_ends_its_execution_and_no_other(server: Server) -> None:
    server.new("e1", flow="gone")
    server.new("e2", task("a"))
    with server.serving():
        until(lambda: server.state("e1") == "FAILED" and server.state("e2") == "SUCCESS")
        until(lambda: server.owner("e1") is None)
    assert server.view("e1").error == "the flow can't be run any more: gone: its plugin is gone"
    assert server.records.unread(["e1"]) == ()


def test_a_restart_of_one_whose_flow_is_gone_leaves_it_failed(server: Server) -> None:
    server.new("e1", flow="gone")
    with server.serving():
        until(lambda: server.state("e1") == "FAILED" and server.owner("e1") is None)
        server.records.send("e1", "restart", '{"what":"failed"}', now())
        until(lambda: server.records.unread(["e1"]) == ())
        assert server.state("e1") == "FAILED"


def test_an_error_of_our_own_ends_the_execution_and_no_other(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place = LiveExecution.place

    def broken(self: LiveExecution, key: Any) -> Any:
        if key.task_id == "bad":
            raise RuntimeError("a bug")
        return place(self, key)

    monkeypatch.setattr(LiveExecution, "place", broken)
    server.new("e1", task("a"), task("bad"))
    server.new("e2", task("a"), task("b"))
    with server.serving():
        until(lambda: server.state("e1") == "FAILED" and server.state("e2") == "SUCCESS")
    assert server.view("e1").error == "the engine can't decide what becomes of it: RuntimeError: a bug"
    assert server.tasks("e1") == [("a", "SUCCESS"), ("bad", "KILLED")]


def test_rows_that_cannot_be_written_end_their_execution_and_no_other(server: Server) -> None:
    def refuse(units: Sequence[Unit]) -> None:
        if any(key.task_id == "bad" and result.output for unit in units for key, result in unit.results.items()):
            raise ValueError("no such row")

    server.records.before = refuse
    for number in range(5):
        server.new(f"good-{number}", task("a"), task("b"))
    server.new("bad", task("bad"))
    with server.serving():
        until(lambda: server.state("bad") == "FAILED")
        until(lambda: all(server.state(f"good-{number}") == "SUCCESS" for number in range(5)))
    assert server.view("bad").error == "the engine can't decide what becomes of it: ValueError: no such row"


def test_one_that_cannot_be_ended_either_is_let_go_and_named(server: Server) -> None:
    def refuse(units: Sequence[Unit]) -> None:
        if any(unit.execution.id == "bad" for unit in units):
            raise ValueError("no such row")

    server.records.before = refuse
    server.new("bad", task("a"))
    server.new("good", task("a"))
    with server.serving() as engine:
        until(lambda: engine.given_up and server.state("good") == "SUCCESS")
        assert engine.given_up == {"bad": "the engine can't decide what becomes of it: ValueError: no such row"}
        server.new("later", task("a"))
        until(lambda: server.state("later") == "SUCCESS")
        assert (server.owner("bad"), server.state("bad")) == (None, "CREATED")


def test_records_out_of_reach_end_the_engine(server: Server) -> None:
    def refuse(units: Sequence[Unit]) -> None:
        raise Unreachable("the records can't be written: the disk is full")

    server.records.before = refuse
    server.new("e1", task("a"))

    def serve() -> None:
        with server.serving():
            until(lambda: server.owner("e1"))
            time.sleep(0.1)

    with pytest.raises(Unreachable, match="the disk is full"):
        serve()


# -- taking over


def test_a_late_engine_drops_what_another_one_has_taken_over(server: Server) -> None:
    server.does = never_ends
    server.new("e1", task("long"))
    server.new("e2", task("a"))
    with server.serving() as engine:
        until(lambda: server.tasks("e1") == [("long", "RUNNING")] and server.state("e2") == "SUCCESS")
        server.records.register_engine("another", 1)
        with server.records._db.writing():
            server.records._db.write("claim", ("another", "e1"))
        (job,) = [one for one in server.sent if isinstance(one, TaskJob) and one.place.task_name == "long"]
        engine._tell(line(job, "what it writes now is refused"))
        until(lambda: server.sent[-1] == Stop(job.attempt_id, "another engine works on the execution"))
        assert engine.working_on() == 0
        server.new("e3", task("a"))
        until(lambda: server.state("e3") == "SUCCESS")
    assert (server.owner("e1"), server.tasks("e1")) == ("another", [("long", "RUNNING")])


def test_what_a_dead_engine_left_goes_on_with_the_same_attempt(server: Server) -> None:
    server.does = never_ends
    server.new("e1", task("long"), task("b"))
    with server.serving("dead", forget=False):
        until(lambda: server.tasks("e1") == [("long", "RUNNING")])
    (first,) = [one for one in server.sent if isinstance(one, TaskJob)]
    server.does = succeed
    with server.serving("alive"):
        time.sleep(0.3)
        assert server.state("e1") == "RUNNING", "its owner holds the lock"
        server.records._engines.pop("dead").close()
        until(lambda: server.state("e1") == "SUCCESS")
    _, again, _ = (one for one in server.sent if isinstance(one, TaskJob))
    assert (again.attempt_id, again.attempt) == (first.attempt_id, 1)
    assert [len(one.attempts) for one in server.records.task_executions(ORGANIZATION, "e1")] == [1, 1]


def die(server: Server, name: str) -> None:
    """An engine that claims e1 and is gone before it decides anything more."""
    with server.serving(name, forget=False):
        until(lambda: server.owner("e1") == name and any(one[1] == "long" for one in server.jobs()))
    server.records._engines.pop(name).close()
    server.sent.clear()


def test_the_third_take_over_without_a_decision_fails_what_ran(server: Server) -> None:
    server.does = never_ends
    server.new("e1", task("long"))
    for name in ("first", "second", "third"):
        die(server, name)
        assert server.state("e1") == "RUNNING"
    server.does = only_end
    with server.serving("fourth"):
        until(lambda: server.state("e1") == "FAILED")
    (view,) = server.records.task_executions(ORGANIZATION, "e1")
    assert (view.error, view.error) == (WORN_OUT, "3 engines that worked on it ended before anything more was decided")
    assert [(one.place.task_name, one.ends) for one in server.sent if isinstance(one, TaskJob)] == [("long", True)]


def test_what_ends_engines_even_when_it_is_only_to_be_ended_fails_without_that(server: Server) -> None:
    server.does = never_ends
    server.new("e1", task("long"))
    for name in ("first", "second", "third", "fourth"):
        die(server, name)
        assert server.state("e1") == "RUNNING"
    with server.serving("fifth"):
        until(lambda: server.state("e1") == "FAILED")
    (view,) = server.records.task_executions(ORGANIZATION, "e1")
    assert (view.error, server.jobs()) == (WORN_OUT, [])


def test_engines_that_left_in_order_are_not_counted(server: Server) -> None:
    server.does = never_ends
    server.new("e1", task("long"))
    for name in ("first", "second", "third", "fourth", "fifth"):
        with server.serving(name):
            until(lambda name=name: server.owner("e1") == name and server.jobs())  # type: ignore[misc]
        assert (server.state("e1"), server.tasks("e1")) == ("RUNNING", [("long", "RUNNING")])
        server.sent.clear()
    server.does = succeed
    with server.serving("last"):
        until(lambda: server.state("e1") == "SUCCESS")
