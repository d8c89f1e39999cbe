"""Executions that go on after their end: what is kept, what runs again, and what the record says of it."""

from __future__ import annotations

import pytest

from core.app import App
from core.errors import Conflict
from core.host.views import TaskExecutionView
from core.testing import run_flow, temporary_app

LOOP = """
id: loop
namespace: io.rules
tasks:
- {id: first, type: debug.Return, format: "1"}
- id: e
  type: flow.ForEach
  values: [a, b]
  tasks:
  - id: s
    type: flow.Sequential
    tasks:
    - {id: x, type: debug.Return, format: "{{ taskrun.id }}"}
    - {id: y, type: execution.Fail, condition: "{{ taskrun.attemptsCount < 1 and parent.taskrun.value == 'b' }}"}
- {id: last, type: debug.Return, format: "{{ outputs.x.a.value }}"}
"""


def ran(app: App, execution_id: str) -> list[tuple[str, tuple[str, ...], str]]:
    return [(task.task_name, task.path, task.state) for task in app.executions.tasks(execution_id)]


def one(app: App, execution_id: str, name: str, *path: str) -> TaskExecutionView:
    return next(
        task for task in app.executions.tasks(execution_id) if task.task_name == name and task.path == path
    )


def test_a_restart_goes_on_in_the_row_that_failed_and_keeps_the_others() -> None:
    with temporary_app() as app:
        failed = run_flow(LOOP, app=app)
        assert failed.state == "FAILED"
        app.executions.restart(failed.id)
        ended = app.executions.run(failed.id)

        assert ended.state == "SUCCESS"
        assert [state for state, _ in ended.history][-3:] == ["RESTARTED", "RUNNING", "SUCCESS"]
        assert [attempt.state for attempt in one(app, failed.id, "y", "b").attempts] == ["FAILED", "SUCCESS"]
        assert len(one(app, failed.id, "x", "b").attempts) == 1


HANDLED = """
id: handled
namespace: io.rules
tasks:
- {id: x, type: execution.Fail, condition: "{{ taskrun.attemptsCount < 1 }}"}
- {id: now, type: debug.Return, format: "{{ outputs.e.value ?? 'none' }} {{ tasks.e.state ?? 'none' }}"}
- {id: p, type: flow.Pause}
- {id: later, type: debug.Return, format: "{{ outputs.e.value ?? 'none' }} {{ tasks.e.state ?? 'none' }}"}
errors:
- id: g
  type: flow.Sequential
  tasks:
  - {id: e, type: debug.Return, format: handled}
  - {id: each, type: flow.ForEach, values: [a], tasks: [{id: l, type: debug.Return, format: looped}]}
outputs:
- {id: handled, type: STRING, value: "{{ outputs.e.value ?? 'none' }}"}
- {id: looped, type: STRING, value: "{{ outputs.l.a.value ?? 'none' }}"}
"""


def test_what_handled_a_failure_before_a_restart_is_not_seen_after_it() -> None:
    with temporary_app() as app:
        failed = run_flow(HANDLED, app=app)
        assert failed.outputs == {"handled": "handled", "looped": "looped"}
        app.executions.restart(failed.id)
        app.executions.run(failed.id)
        app.executions.resume(failed.id)  # it is claimed anew
        ended = app.executions.run(failed.id)

        found = [app.outputs.value(one(app, failed.id, name).id) for name in ("now", "later")]
        assert (ended.state, found) == ("SUCCESS", [{"value": "none none"}] * 2)
        assert ended.outputs == {"handled": "none", "looped": "none"}


def test_what_a_task_gave_is_not_seen_any_more_when_a_later_round_skips_it() -> None:
    text = """
id: f
namespace: io.rules
tasks:
- id: w
  type: flow.LoopUntil
  condition: "{{ outputs.w.iterationCount == 2 }}"
  checkFrequency: {interval: PT0.01S}
  tasks:
  - {id: once, type: debug.Return, format: given, runIf: "{{ outputs.w.iterationCount == 1 }}"}
  - {id: see, type: debug.Return, format: "{{ outputs.once.value ?? 'none' }} {{ tasks.once.state }}"}
"""
    with temporary_app() as app:
        run = run_flow(text, app=app)
    seen = [execution.output for execution in run.task_executions if execution.task == "see"]
    assert seen == [{"value": "given SUCCESS"}, {"value": "none SKIPPED"}]


def test_an_execution_that_was_restarted_says_so_by_a_label_and_one_that_was_replayed_does_not() -> None:
    with temporary_app() as app:
        failed = run_flow(LOOP, app=app)
        replayed = app.executions.run(app.executions.replay(failed.id, from_task="x", value="b").id)
        app.executions.restart(failed.id)
        restarted = app.executions.run(failed.id)

    own = {"system.correlationId": failed.id}
    assert (dict(replayed.labels), dict(restarted.labels)) == (own, own | {"system.restarted": "true"})


def test_a_replay_from_a_place_in_a_loop_keeps_the_other_values_with_all_that_is_below_them() -> None:
    text = LOOP.replace("taskrun.attemptsCount < 1 and ", "false and ")
    with temporary_app() as app:
        origin = run_flow(text, app=app)
        derived = app.executions.replay(origin.id, from_task="s", value="b")
        app.executions.run(derived.id)

        assert sorted(ran(app, derived.id)) == sorted(ran(app, origin.id))
        kept, again = one(app, derived.id, "x", "a"), one(app, derived.id, "x", "b")
        assert kept.copied_from == one(app, origin.id, "x", "a").id
        assert app.outputs.value(kept.id) == app.outputs.value(one(app, origin.id, "x", "a").id)
        assert app.outputs.value(again.id) == {"value": again.id}
        assert app.executions.get(derived.id).original_id == origin.id


def test_a_replay_from_a_task_runs_it_and_what_follows() -> None:
    text = LOOP.replace("taskrun.attemptsCount < 1 and ", "false and ")
    with temporary_app() as app:
        origin = run_flow(text, app=app)
        derived = app.executions.replay(origin.id, from_task="last")
        app.executions.run(derived.id)

        before = [task.task_name for task in app.executions.tasks(derived.id) if task.copied_from]
        assert sorted(before) == ["e", "first", "last", "s", "s", "x", "x", "y", "y"]
        assert [state for state, _ in one(app, derived.id, "last").history][-3:] == ["RESTARTED", "RUNNING", "SUCCESS"]


def test_what_fails_without_an_attempt_stands_in_the_log_all_the_same() -> None:
    text = "id: f\nnamespace: io.rules\ntasks:\n- {id: e, type: flow.ForEach, values: '[null]', tasks: [{id: x, type: debug.Return}]}\n"
    with temporary_app() as app:
        run = run_flow(text, app=app)

    assert run.logs == (("ERROR", "Found '1' null values on Each, with values=[null]"),)


def test_a_group_has_one_attempt_and_a_skipped_subflow_too() -> None:
    text = (
        "id: g\nnamespace: io.rules\ntasks:\n"
        "- {id: s, type: flow.Sequential, tasks: [{id: x, type: execution.Fail}], allowFailure: true}\n"
        '- {id: c, type: flow.Subflow, namespace: io.rules, flowId: nope, runIf: "false"}\n'
        '- {id: d, type: flow.Subflow, namespace: io.rules, flowId: nope, runIf: "{{ false }}"}\n'
        '- {id: l, type: execution.Labels, labels: {a: b}, runIf: "{{ false }}"}\n'
        '- {id: skipped, type: debug.Return, runIf: "{{ false }}"}\n'
    )
    with temporary_app() as app:
        run = run_flow(text, app=app)
        found = {
            task.task_name: [attempt.state for attempt in task.attempts] for task in app.executions.tasks(run.id)
        }
        histories = [[state for state, _ in one(app, run.id, name).history] for name in ("c", "d")]

    assert found == {"s": ["WARNING"], "x": ["FAILED"], "c": ["SKIPPED"], "d": ["SKIPPED"], "l": ["SKIPPED"], "skipped": []}
    assert histories == [["CREATED", "SKIPPED"], ["CREATED", "SKIPPED"]]


def test_what_goes_on_after_a_restart_reads_the_outputs_of_the_groups_around_it() -> None:
    text = """
id: around
namespace: io.rules
tasks:
- id: choose
  type: flow.If
  condition: "{{ true }}"
  then:
  - {id: x, type: execution.Fail, condition: "{{ taskrun.attemptsCount < 1 }}"}
  - {id: y, type: debug.Return, format: "{{ parent.outputs.evaluationResult }}"}
"""
    with temporary_app() as app:
        failed = run_flow(text, app=app)
        app.executions.restart(failed.id)
        ended = app.executions.run(failed.id)
        assert ended.state == "SUCCESS"
        assert app.outputs.value(f"{failed.id}/y") == {"value": "true"}


BLOCKS = """
id: blocks
namespace: io.rules
tasks:
- id: e
  type: flow.ForEach
  values: [a]
  allowFailure: true
  tasks: [{id: x, type: execution.Fail}]
  errors: [{id: told, type: debug.Return, format: told}]
  finally: [{id: tidy, type: debug.Return, format: "{{ outputs.told.value }}"}]
- {id: last, type: debug.Return, format: "{{ outputs.told.value }} {{ outputs.tidy.value }}"}
"""


def test_a_replay_from_what_a_group_runs_besides_its_tasks_runs_that_again_and_what_follows() -> None:
    with temporary_app() as app:
        origin = run_flow(BLOCKS, app=app)
        for name in ("told", "tidy"):
            derived = app.executions.run(app.executions.replay(origin.id, from_task=name).id)

            assert derived.state == "WARNING"
            assert sorted(ran(app, derived.id)) == sorted(ran(app, origin.id))
            assert one(app, derived.id, name).copied_from is None


def test_a_replay_behind_a_loop_reads_what_the_loop_ran_besides_its_tasks() -> None:
    with temporary_app() as app:
        origin = run_flow(BLOCKS, app=app)
        derived = app.executions.run(app.executions.replay(origin.id, from_task="last").id)

        assert app.outputs.value(one(app, derived.id, "last").id) == {"value": "told told"}


ALLOWED = """
id: allowed
namespace: io.rules
tasks:
- id: g
  type: flow.AllowFailure
  tasks: [{id: x, type: execution.Fail, condition: "{{ taskrun.attemptsCount < 1 }}"}]
- {id: last, type: debug.Return, format: "{{ taskrun.id }}"}
"""


def test_a_restart_of_what_ended_with_a_warning_runs_again_what_failed_inside_it() -> None:
    with temporary_app() as app:
        warned = run_flow(ALLOWED, app=app)
        assert warned.state == "WARNING"
        app.executions.restart(warned.id)

        assert app.executions.run(warned.id).state == "SUCCESS"
        assert ran(app, warned.id) == [("g", (), "SUCCESS"), ("x", (), "SUCCESS"), ("last", (), "SUCCESS")]


@pytest.mark.parametrize(
    "text",
    [
        "tasks: [{id: a, type: execution.Fail, allowFailure: true}]\n",
        "tasks: [{id: a, type: log.Log, message: hi}]\noutputs: [{id: o, type: STRING, value: '{{ no }}'}]\n",
    ],
)
def test_a_restart_that_finds_no_failed_task_is_refused_and_changes_nothing(text: str) -> None:
    with temporary_app() as app:
        ended = run_flow(f"id: f\nnamespace: io.rules\n{text}", app=app)
        before = app.executions.get(ended.id)
        with pytest.raises(Conflict) as caught:
            app.executions.restart(ended.id)

        assert str(caught.value) == (
            "No task found to restart execution from!\n"
            "  to do: `executions replay` runs it again as a new execution"
        )
        assert app.executions.get(ended.id) == before


def test_what_a_loop_never_gave_is_undefined_for_what_goes_on_behind_it_too() -> None:
    text = (
        "id: f\nnamespace: io.rules\ntasks:\n- id: e\n  type: flow.ForEach\n  values: [a]\n"
        '  tasks: [{id: never, type: debug.Return, runIf: "false"}]\n'
        "- {id: last, type: debug.Return, format: \"{{ outputs.never ?? 'nothing' }}\"}\n"
    )
    with temporary_app() as app:
        origin = run_flow(text, app=app)
        derived = app.executions.run(app.executions.replay(origin.id, from_task="last").id)
        found = [app.outputs.value(one(app, each, "last").id) for each in (origin.id, derived.id)]

    assert found == [{"value": "nothing"}, {"value": "nothing"}]


def test_an_execution_that_goes_on_and_waits_again_at_once_says_so_in_its_history() -> None:
    text = (
        "id: f\nnamespace: io.rules\ntasks:\n- {id: a, type: flow.Pause}\n"
        "- {id: b, type: flow.Pause, delay: PT0.01S}\n- {id: c, type: flow.Pause, delay: PT0.01S}\n"
    )
    with temporary_app() as app:
        waiting = run_flow(text, app=app)
        app.executions.resume(waiting.id)
        ended = app.executions.run(waiting.id)

    assert [state for state, _ in ended.history] == [
        "CREATED", "RUNNING", "PAUSED", "RESTARTED", "RUNNING", "PAUSED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS",
    ]  # fmt: skip
