"""An installation with an engine that serves: what is submitted, asked of it, left by others, and its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.app import App, Installation, load_settings, open_deployment
from core.app.serving import ServingEngine
from core.errors import Conflict, Unreachable
from core.host.records import Refused, Unit
from core.host.views import ExecutionFilter, ExecutionView
from core.model.state import ENDED
from core.testing.executor_tasks import TASKS
from tests.waiting import until

PLAIN = "{id: a, type: debug.Return, format: '{{ flow.id }}'}"
SLEEP = "{id: sleep, type: flow.Sleep, duration: PT1H}"


def hold(gate: Path, *, name: str = "hold") -> str:
    return f"{{id: {name}, type: testing.Hold, until: '{gate}'}}"


def flow_of(*tasks: str, name: str = "f") -> str:
    return "\n".join([f"id: {name}", "namespace: n", "tasks:", *(f"- {task}" for task in tasks)])


@contextmanager
def installed(home: Path) -> Iterator[Installation]:
    with open_deployment(load_settings(home=home, environment={})) as installation:
        app = installation._own
        app.registry = app.registry.including(*TASKS)
        yield installation


@contextmanager
def serving(installation: Installation) -> Iterator[ServingEngine]:
    engine = ServingEngine(installation, workers=4, processes=False)
    engine.start()
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path / "home") as made:
        yield made


def created(app: App, text: str) -> ExecutionView:
    return app.executions.create(app.flows.read(text), {})[0]


def submitted(app: App, text: str) -> str:
    view = created(app, text)
    app.executions.submit(view.id)
    return view.id


def state(app: App, execution: str) -> str:
    return app.executions.get(execution).state


def tasks(app: App, execution: str) -> list[tuple[str, str]]:
    return [(task.task_name, task.state) for task in app.executions.tasks(execution)]


def children(app: App, execution: str) -> list[str]:
    """The others, once there is one."""
    found: list[str] = []

    def look() -> list[str]:
        found[:] = [view.id for view in app.executions.list(ExecutionFilter()).data if view.id != execution]
        return found

    until(look)
    return found


def test_what_is_submitted_runs_at_once_in_every_organization(installation: Installation) -> None:
    installation.keys.create_organization("acme")
    with serving(installation):
        for organization in ("default", "acme"):
            app = installation.services(organization)
            execution = submitted(app, flow_of(PLAIN))
            until(lambda app=app, execution=execution: state(app, execution) == "SUCCESS")  # type: ignore[misc]
            assert app.outputs.value(f"{execution}/a") == {"value": "f"}


def test_a_process_without_an_engine_submits_to_those_of_others(tmp_path: Path) -> None:
    with installed(tmp_path) as one, installed(tmp_path) as other, serving(other):
        app = one.services("default")
        execution = submitted(app, flow_of(PLAIN))
        until(lambda: state(app, execution) == "SUCCESS")


def test_a_caller_has_no_owner_while_its_child_rests_and_goes_on_at_its_end(installation: Installation) -> None:
    app = installation.services("default")
    app.flows.push(flow_of("{id: pause, type: flow.Pause}", name="child"))
    call = "{id: call, type: flow.Subflow, namespace: n, flowId: child, wait: true, transmitFailed: true}"
    with serving(installation) as engine:
        execution = submitted(app, flow_of(call, PLAIN))
        (child,) = children(app, execution)
        until(lambda: state(app, child) == "PAUSED" and not engine.working_on())
        app.executions.resume(child)
        until(lambda: state(app, execution) == "SUCCESS")
    assert tasks(app, execution) == [("call", "SUCCESS"), ("a", "SUCCESS")]
    assert children(app, execution) == [child]


def test_more_children_than_an_engine_may_own_end_all(installation: Installation) -> None:
    app = installation.services("default")
    app.flows.push(flow_of(PLAIN, name="child"))
    calls = ", ".join(f"{{id: c{n}, type: flow.Subflow, namespace: n, flowId: child, wait: true}}" for n in range(30))
    with serving(installation) as engine:
        execution = submitted(app, flow_of(f"{{id: all, type: flow.Parallel, tasks: [{calls}]}}"))
        until(lambda: state(app, execution) == "SUCCESS")
        until(lambda: engine.working_on() == 0)
    assert len(children(app, execution)) == 30


@pytest.mark.parametrize("seconds", [0.1, 1.4])
def test_a_retry_as_a_new_execution_begins_in_its_time_and_has_no_owner_before(
    installation: Installation, seconds: float
) -> None:
    app = installation.services("default")
    retry = f"retry: {{type: constant, interval: PT{seconds}S, maxAttempts: 2, behavior: CREATE_NEW_EXECUTION}}\ntasks:"
    with serving(installation) as engine:
        execution = submitted(app, flow_of("{id: fail, type: execution.Fail}").replace("tasks:", retry))
        (second,) = children(app, execution)
        until(lambda: engine.working_on() == 0)
        until(lambda: state(app, second) == "FAILED")
    views = app.executions.get(execution), app.executions.get(second)
    assert [view.state for view in views] == ["RETRIED", "FAILED"]
    assert (views[1].started_at or 0) - (views[0].ended_at or 0) >= seconds * 1_000_000


def test_the_end_of_a_caller_that_has_no_owner_ends_its_child(installation: Installation) -> None:
    app = installation.services("default")
    app.flows.push(flow_of(SLEEP, name="child"))
    call = "{id: call, type: flow.Subflow, namespace: n, flowId: child, wait: true}"
    with serving(installation):
        execution = submitted(app, flow_of(call))
        (child,) = children(app, execution)
        until(lambda: tasks(app, child) == [("sleep", "RUNNING")] and not app.executions.is_owned(execution))
        app.executions.kill(execution)
        until(lambda: {state(app, execution), state(app, child)} == {"KILLED"})


def test_what_runs_after_a_killed_execution_runs_where_executions_are_served(installation: Installation) -> None:
    app = installation.services("default")
    with serving(installation):
        paused = submitted(app, flow_of("{id: pause, type: flow.Pause}") + f"\nafterExecution: [{PLAIN}]")
        until(lambda: state(app, paused) == "PAUSED" and not app.executions.is_owned(paused))
        app.executions.kill(paused)
        until(lambda: [one for _, one in tasks(app, paused)] == ["KILLED", "SUCCESS"])
        assert state(app, paused) == "KILLED"


def test_the_kill_of_a_child_does_not_run_its_caller_in_the_process_that_asked(
    installation: Installation, tmp_path: Path
) -> None:
    app = installation.services("default")
    app.flows.push(flow_of(SLEEP, name="child"))
    call = "{id: call, type: flow.Subflow, namespace: n, flowId: child, wait: true, transmitFailed: false}"
    gate = tmp_path / "gate"
    with serving(installation):
        execution = submitted(app, flow_of(call, hold(gate)))
        (child,) = children(app, execution)
        until(lambda: tasks(app, child) == [("sleep", "RUNNING")] and not app.executions.is_owned(child))
        app.executions.kill(child)
        until(lambda: tasks(app, execution) == [("call", "SUCCESS"), ("hold", "RUNNING")])
        gate.touch()
        until(lambda: state(app, execution) == "SUCCESS")


def test_what_is_asked_of_a_served_execution_happens_soon(installation: Installation, tmp_path: Path) -> None:
    app = installation.services("default")
    pause, fail = "{id: pause, type: flow.Pause}", "{id: fail, type: execution.Fail}"
    with serving(installation):
        paused, slept = submitted(app, flow_of(pause, PLAIN)), submitted(app, flow_of(SLEEP))
        failed = submitted(app, flow_of(PLAIN, fail, name="g"))
        until(lambda: state(app, paused) == "PAUSED" and not app.executions.is_owned(paused))
        until(lambda: tasks(app, slept) == [("sleep", "RUNNING")] and not app.executions.is_owned(slept))
        app.executions.resume(paused)
        until(lambda: state(app, paused) == "SUCCESS")
        app.executions.pause(slept)
        until(lambda: state(app, slept) == "PAUSED")
        app.executions.kill(slept)
        until(lambda: state(app, slept) == "KILLED")
        until(lambda: state(app, failed) == "FAILED" and not app.executions.is_owned(failed))
        app.executions.restart(failed)
        until(lambda: len(app.executions.tasks(failed)[1].attempts) == 2 and state(app, failed) == "FAILED")
        replayed = app.executions.replay(paused, from_task="a").id
        app.executions.submit(replayed)
        until(lambda: state(app, replayed) == "SUCCESS")


def test_another_process_kills_what_a_server_runs_and_what_rests_there(tmp_path: Path) -> None:
    with installed(tmp_path / "home") as server, installed(tmp_path / "home") as command, serving(server):
        app = server.services("default")
        held, slept = submitted(app, flow_of(hold(tmp_path / "never"))), submitted(app, flow_of(SLEEP))
        until(lambda: tasks(app, held) == [("hold", "RUNNING")])
        until(lambda: tasks(app, slept) == [("sleep", "RUNNING")] and not app.executions.is_owned(slept))
        for execution in (held, slept):
            command._own.executions.kill(execution)
            until(lambda execution=execution: state(app, execution) == "KILLED")  # type: ignore[misc]
        assert [task.state for one in (held, slept) for task in app.executions.tasks(one)] == ["KILLED", "KILLED"]


def test_a_command_line_run_keeps_its_execution_beside_a_server(tmp_path: Path) -> None:
    with installed(tmp_path) as server, installed(tmp_path) as command, serving(server) as engine:
        app = command._own
        for _ in range(20):
            assert app.run(flow_of(PLAIN, "{id: b, type: flow.Sleep, duration: PT0.02S}")).state == "SUCCESS"
        assert engine.working_on() == 0


def test_a_server_that_is_closed_kills_nothing_and_the_next_goes_on_at_once(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with installed(tmp_path / "home") as first:
        app = first.services("default")
        engine = ServingEngine(first, workers=4, processes=False)
        engine.start()
        held, slept = submitted(app, flow_of(hold(gate), PLAIN)), submitted(app, flow_of(SLEEP))
        until(lambda: tasks(app, held) == [("hold", "RUNNING")] and tasks(app, slept) == [("sleep", "RUNNING")])
        engine.close()
        assert (state(app, held), tasks(app, held)) == ("RUNNING", [("hold", "RUNNING")])
        assert engine.failure is None
    gate.touch()
    with installed(tmp_path / "home") as second, serving(second):
        app = second.services("default")
        until(lambda: state(app, held) == "SUCCESS")
        assert [len(task.attempts) for task in app.executions.tasks(held)] == [1, 1]
        assert tasks(app, slept) == [("sleep", "RUNNING")]


def test_an_engine_whose_records_are_out_of_reach_says_so_and_begins_anew(installation: Installation) -> None:
    app, broken = installation.services("default"), threading.Event()
    commit = app.records.commit

    def maybe(units: list[Unit]) -> tuple[Refused, ...]:
        if broken.is_set():
            raise Unreachable("the records can't be written: the disk is full")
        return commit(units)

    app.records.commit = maybe  # type: ignore[method-assign, assignment]
    with serving(installation) as engine:
        broken.set()
        execution = submitted(app, flow_of(PLAIN))
        until(lambda: engine.failure is not None)
        assert str(engine.failure) == "the records can't be written: the disk is full"
        broken.clear()
        until(lambda: state(app, execution) == "SUCCESS")
        assert engine.failure is None


def test_two_servers_share_executions_and_each_runs_once(tmp_path: Path) -> None:
    with installed(tmp_path) as one, installed(tmp_path) as other, serving(one), serving(other):
        app = one.services("default")
        text = flow_of(PLAIN, "{id: b, type: flow.Sleep, duration: PT0.05S}", "{id: c, type: debug.Return}")
        ids = [submitted(app if number % 2 else other.services("default"), text) for number in range(40)]
        until(lambda: all(state(app, execution) in ENDED for execution in ids))
        assert {state(app, execution) for execution in ids} == {"SUCCESS"}
        assert {len(task.attempts) for one_ in ids for task in app.executions.tasks(one_)} == {1}


def test_nobody_works_on_what_is_to_be_paused_without_an_engine(installation: Installation) -> None:
    app = installation.services("default")
    with serving(installation):
        execution = submitted(app, flow_of(SLEEP))
        until(lambda: tasks(app, execution) == [("sleep", "RUNNING")] and not app.executions.is_owned(execution))
    with pytest.raises(Conflict, match=f"nobody works on the execution {execution}"):
        app.executions.pause(execution)
