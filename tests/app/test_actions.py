"""Actions at the moments where they could get lost, and what is known of a run before and after it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest

from core.app import App
from core.errors import Conflict, Invalid, NotFound, Unreachable
from core.host.views import ExecutionView
from tests.waiting import PATIENCE, until

Created = Callable[[str], ExecutionView]
PAUSED = "tasks:\n  - {id: wait, type: flow.Pause}\n  - {id: after, type: log.Log, message: hi}"
LOOP = """\
tasks:
  - id: outer
    type: flow.ForEach
    values: [a, b]
    tasks:
      - id: inner
        type: flow.ForEach
        values: [x, y]
        tasks:
          - {id: t, type: debug.Return, format: "{{ execution.id }}"}
"""


def test_what_is_sent_while_its_owner_lets_go_is_not_lost(
    app: App, created: Created, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = created(PAUSED)
    release = app.records.release
    sent: list[bool] = []

    def late(execution_id: str, fence: int) -> None:
        if not sent:
            sent.append(app.executions.is_owned(execution_id))
            app.executions.resume(execution_id)
        release(execution_id, fence)

    monkeypatch.setattr(app.records, "release", late)

    assert app.executions.run(execution.id).state == "SUCCESS"
    assert sent == [True]


@pytest.mark.parametrize("body", ["tasks: [{id: t, type: log.Log, message: hi}]", PAUSED])
def test_what_nobody_works_on_is_killed_at_once(app: App, created: Created, body: str) -> None:
    execution = created(body)
    if body == PAUSED:
        app.executions.run(execution.id)
    app.executions.kill(execution.id)
    killed = app.executions.get(execution.id)
    assert (killed.state, {task.state for task in app.executions.tasks(killed.id)} <= {"KILLED"}) == ("KILLED", True)
    with pytest.raises(Conflict):
        app.executions.kill(execution.id)
    assert app.executions.run(execution.id).state == "KILLED", "what was sent before its end counts no more"


def test_what_runs_after_an_execution_runs_when_it_is_killed_while_nobody_works_on_it(
    app: App, created: Created
) -> None:
    tails = "finally: [{id: f, type: log.Log, message: no}]\nafterExecution: [{id: x, type: log.Log, message: yes}]\n"
    execution = created(f"{PAUSED}\n{tails}")
    app.executions.run(execution.id)
    app.executions.kill(execution.id)
    killed = app.executions.get(execution.id)
    assert [state for state, _ in killed.history] == ["CREATED", "RUNNING", "PAUSED", "KILLING", "KILLED"]
    found = [(task.task_name, task.state) for task in app.executions.tasks(killed.id)]
    assert found == [("wait", "KILLED"), ("x", "SUCCESS")]


def test_a_killed_execution_can_be_restarted(app: App, created: Created) -> None:
    execution = created(PAUSED)
    app.executions.run(execution.id)
    app.executions.kill(execution.id)
    app.executions.restart(execution.id)
    assert app.executions.run(execution.id).state == "PAUSED"
    app.executions.resume(execution.id)
    assert app.executions.run(execution.id).state == "SUCCESS"


def test_one_execution_of_a_loops_task_is_named_by_its_values(app: App, created: Created) -> None:
    first = app.executions.run(created(LOOP).id)
    with pytest.raises(Invalid) as many:
        app.executions.replay(first.id, from_task="t", value="x")
    assert str(many.value) == "`t` ran for more than one value\n  expected: the value of the loop"
    with pytest.raises(NotFound) as none:
        app.executions.replay(first.id, from_task="t", value="z")
    assert str(none.value) == "`t` did not run for the value `z`"

    again = app.executions.run(app.executions.replay(first.id, from_task="t", value="a/y").id)

    ran = {task.path: app.outputs.value(task.id)["value"] for task in app.executions.tasks(again.id)
           if task.task_name == "t"}  # fmt: skip
    assert again.state == "SUCCESS"
    assert ran.keys() == {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}
    assert (ran["a", "x"], ran["a", "y"]) == (first.id, again.id)


ASKING = """\
tasks:
  - {id: before, type: log.Log, message: hi}
  - {id: values, type: flow.ForEach, values: "{{ kv('many') }}", tasks: [{id: t, type: log.Log, message: hi}]}
  - id: branch
    type: flow.If
    condition: "{{ kv('many') | length > 5 }}"
    then: [{id: more, type: log.Log, message: hi}]
    else: [{id: less, type: log.Log, message: hi}]
  - id: loop
    type: flow.LoopUntil
    condition: "{{ outputs.loop.iterationCount == 3 }}"
    checkFrequency: {interval: PT0.01S}
    tasks: [{id: turn, type: log.Log, message: hi}]
"""


@pytest.mark.parametrize(("task", "ran"), [
    ("values", [("t", "c"), ("t", "d"), ("more", None), *[("turn", None)] * 3]),
    ("branch", [("t", "a"), ("more", None), *[("turn", None)] * 3]),
    ("loop", [("t", "a"), ("less", None), *[("turn", None)] * 3]),
])  # fmt: skip
def test_a_replay_asks_anew_what_its_first_task_has_asked(
    app: App, created: Created, task: str, ran: list[tuple[str, str | None]]
) -> None:
    first = created(ASKING)
    app.kv.set(first.namespace, "many", ["a"])
    assert app.executions.run(first.id).state == "SUCCESS"
    app.kv.set(first.namespace, "many", ["c", "d", "c", "d", "c", "d"])

    again = app.executions.run(app.executions.replay(first.id, from_task=task).id)

    assert again.state == "SUCCESS"
    leaves = ("t", "more", "less", "turn")
    assert [(one.task_name, one.value) for one in app.executions.tasks(again.id) if one.task_name in leaves] == ran


def test_properties_of_a_failed_attempt_are_kept_also_when_the_next_one_succeeds(app: App, created: Created) -> None:
    body = (
        "retry: {type: constant, interval: PT0.01S, maxAttempt: 2}\n"
        "tasks: [{id: t, type: execution.Fail, condition: '{{ taskrun.attemptsCount == 0 }}', errorMessage: '%s'}]"
    )
    ended = app.executions.run(created(body % ("x" * 20_000)).id)
    (task,) = app.executions.tasks(ended.id)
    assert (ended.state, len(task.attempts)) == ("SUCCESS", 2)
    assert task.properties == {"condition": "true", "errorMessage": f'"{"x" * 9_999}… (20002 characters)'}


def test_what_is_missing_in_flows_that_are_called_is_said_before_the_run(app: App) -> None:
    flow = app.flows.read(
        "id: main\nnamespace: n\ntasks:\n  - {id: one, type: flow.Subflow, namespace: n, flowId: gone}\n"
        "  - {id: two, type: flow.Subflow, namespace: n, flowId: '{{ flow.id }}'}\n"
    )
    assert app.executions.preflight(flow) == (
        "one: there is no flow n.gone: the task will fail when it is reached",
    )


def test_the_needs_of_flows_that_are_called_are_looked_at_before_the_run(app: App) -> None:
    task = "{id: query, type: scripts.shell.Commands, commands: ['true'], taskRunner: {type: runner.Docker}}"
    app.flows.push(f"id: child\nnamespace: n\ntasks: [{task}]\n")
    flow = app.flows.read("id: f\nnamespace: n\ntasks: [{id: s, type: flow.Subflow, namespace: n, flowId: child}]\n")
    app.settings.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"  # type: ignore[index]
    with pytest.raises(Unreachable) as caught:
        app.executions.preflight(flow)
    assert caught.value.where == "task query"


# -- what is paused, what takes a slot


def test_what_is_paused_is_neither_restarted_nor_changed(app: App, created: Created) -> None:
    paused = app.executions.run(created(PAUSED).id)
    with pytest.raises(Conflict) as restarted:
        app.executions.restart(paused.id)
    assert str(restarted.value) == (
        f"the execution {paused.id} can't be restarted: it is PAUSED\n  expected: one that failed or was killed\n"
        "  to do: `executions resume` lets one go on that waits"
    )
    with pytest.raises(Conflict) as changed:
        app.executions.change_state(paused.id, "wait", "SUCCESS")
    assert str(changed.value) == f"the execution {paused.id} has not ended: it is PAUSED\n  to do: kill it first"


def limited(app: App, behavior: str) -> tuple[str, str]:
    """One that failed, while another of its flow is paused and holds the only slot."""
    body = (
        f"concurrency: {{limit: 1, behavior: {behavior}}}\ninputs: [{{id: fails, type: BOOL, defaults: false}}]\n"
        "tasks:\n  - {id: fail, type: execution.Fail, condition: '{{ taskrun.attemptsCount == 0 and inputs.fails }}'}\n"
        "  - {id: wait, type: flow.Pause}\n"
    )
    flow = app.flows.read(f"id: narrow\nnamespace: n\n{body}")
    failed = app.executions.run(app.executions.create(flow, {"fails": True})[0].id)
    paused = app.executions.run(app.executions.create(flow, {})[0].id)
    assert (failed.state, paused.state) == ("FAILED", "PAUSED")
    return failed.id, paused.id


@pytest.mark.parametrize(("behavior", "state"), [("CANCEL", "CANCELLED"), ("FAIL", "FAILED")])
def test_a_restart_without_a_slot_ends_as_the_limit_says(app: App, behavior: str, state: str) -> None:
    failed, paused = limited(app, behavior)
    app.executions.restart(failed)
    ended = app.executions.run(failed)
    assert (ended.state, [one for one, _ in ended.history][-2:]) == (state, ["RESTARTED", state])
    assert ended.error == f"Execution is {state} due to concurrency limit exceeded"
    app.executions.resume(paused)
    assert app.executions.run(paused).state == "SUCCESS"
    app.executions.restart(failed)
    assert app.executions.run(failed).state == "PAUSED"


def test_a_restart_without_a_slot_waits_for_one(app: App) -> None:
    failed, _ = limited(app, "QUEUE")
    app.executions.restart(failed)
    waiting = Thread(target=lambda: app.executions.run(failed))
    waiting.start()
    until(lambda: app.executions.get(failed).state == "QUEUED")
    app.executions.force_run(failed)
    waiting.join(PATIENCE)
    ended = app.executions.get(failed)
    assert (ended.state, [one for one, _ in ended.history][-4:]) == (
        "PAUSED", ["RESTARTED", "QUEUED", "RUNNING", "PAUSED"]
    )  # fmt: skip


def test_the_output_of_a_pause_says_who_resumed_it(app: App, created: Created) -> None:
    for by, task in (("ada", None), ("eve", "wait"), ("", "wait")):
        paused = app.executions.run(created(PAUSED).id)
        app.executions.resume(paused.id, task_name=task, by=by)
        assert app.executions.run(paused.id).state == "SUCCESS"
        (wait,) = (one for one in app.executions.tasks(paused.id) if one.task_name == "wait")
        assert app.outputs.value(wait.id)["resumed"]["by"] == (by or None)


def test_of_a_later_group_only_what_is_stale_runs_in_the_derived_execution(app: App, created: Created) -> None:
    first = app.executions.run(created("""\
tasks:
  - {id: a, type: debug.Return, format: one}
  - {id: b, type: debug.Return, format: "{{ outputs.a.value }}"}
  - id: later
    type: flow.Sequential
    tasks:
      - {id: kept, type: debug.Return, format: "{{ execution.id }}"}
      - {id: c, type: debug.Return, format: "{{ outputs.b.value }}"}
  - {id: end, type: debug.Return, format: "{{ execution.id }}"}
""").id)
    corrected = next(task for task in app.executions.tasks(first.id) if task.task_name == "a")
    app.changes.correct(corrected.id, corrected.version, by="ada", output={"value": "two"})

    again = app.executions.run(app.executions.replay(first.id, stale=True).id)

    values = {task.task_name: app.outputs.value(task.id) for task in app.executions.tasks(again.id)}
    assert again.state == "SUCCESS"
    assert {name: found["value"] for name, found in values.items() if name != "later"} == {
        "a": "two", "b": "two", "c": "two", "kept": first.id, "end": first.id,
    }  # fmt: skip
    (later,) = (task for task in app.executions.tasks(again.id) if task.task_name == "later")
    assert later.state == "SUCCESS"
