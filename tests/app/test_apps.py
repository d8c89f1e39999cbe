"""The composed app: what front ends ask of it, in one process and across processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.app import App, open_app
from core.errors import Conflict, Forbidden, Invalid, InvalidInput, NotFound, TailraceError, Unreachable
from core.host.views import ExecutionFilter, ExecutionView, OutputFilter, TaskProgressed
from core.model.codec import SecretText
from core.settings import load_settings
from core.testing.apps import temporary_app
from core.testing.executor_tasks import TASKS
from core.testing.flows import run_flow
from tests.waiting import PATIENCE

Created = Callable[[str], ExecutionView]


def hold(gate: Path, **more: object) -> str:
    lines = [f"    {name}: {value}" for name, value in more.items()]
    return "\n".join(["tasks:", "  - id: hold", "    type: testing.Hold", f"    until: {gate}", *lines])


def begin(app: App, execution: ExecutionView) -> threading.Thread:
    """Run it in another thread; returns once its `testing.Hold` task has begun."""
    began = threading.Event()

    def follow(happening: object) -> None:
        if isinstance(happening, TaskProgressed) and happening.message == "began":
            began.set()

    thread = threading.Thread(target=lambda: app.executions.run(execution.id, follow=follow))
    thread.start()
    assert began.wait(PATIENCE)
    return thread


# -- two at once


def test_a_kill_in_the_same_app_ends_it(app: App, created: Created, tmp_path: Path) -> None:
    execution = created(hold(tmp_path / "never"))
    thread = begin(app, execution)
    app.executions.kill(execution.id)
    thread.join(PATIENCE)
    assert app.executions.get(execution.id).state == "KILLED"
    assert [(task.state, task.error) for task in app.executions.tasks(execution.id)] == [
        ("KILLED", "the execution was killed")
    ]
    assert list((app.settings.home / "engines").iterdir()) == []


def test_a_kill_from_another_app_of_the_same_home_ends_it_too(app: App, created: Created, tmp_path: Path) -> None:
    execution = created(hold(tmp_path / "never"))
    thread = begin(app, execution)
    with open_app(app.settings) as other:
        other.executions.kill(execution.id)
        thread.join(PATIENCE)
        assert other.executions.get(execution.id).state == "KILLED"
        with pytest.raises(Conflict) as caught:
            other.executions.kill(execution.id)
    assert str(caught.value) == f"the execution {execution.id} has already ended: KILLED"


def test_a_kill_is_not_undone_by_the_restart_that_it_overtakes(app: App, created: Created) -> None:
    """A replay from a task begins with such a message."""
    body = "tasks: [{id: a, type: debug.Return, format: x}, {id: b, type: debug.Return, format: y}]"
    ended = app.executions.run(created(body).id)
    replay = app.executions.replay(ended.id, from_task="b")
    app.executions.kill(replay.id)
    assert [state for state, _ in app.executions.get(replay.id).history] == ["CREATED", "KILLING", "KILLED"]
    assert app.executions.run(replay.id).state == "KILLED"


def test_an_interrupt_reaches_everything_that_runs(app: App, created: Created, tmp_path: Path) -> None:
    threads = [begin(app, created(hold(tmp_path / "never"))) for _ in range(2)]
    app.executions.interrupt()
    for thread in threads:
        thread.join(PATIENCE)
    assert [view.state for view in app.executions.list(ExecutionFilter()).data] == ["KILLED", "KILLED"]


def test_an_interrupt_before_the_engine_is_there_is_not_lost(
    app: App, created: Created, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = app.records.register_engine

    def interrupted(engine_id: str, at: int) -> None:
        register(engine_id, at)
        app.executions.interrupt()

    monkeypatch.setattr(app.records, "register_engine", interrupted)
    execution = created("tasks: [{id: t, type: debug.Return, format: x}]")
    assert app.executions.run(execution.id).state == "KILLED"
    monkeypatch.undo()
    assert app.executions.run(created("tasks: [{id: t, type: debug.Return, format: x}]").id).state == "SUCCESS"


def test_two_apps_of_two_homes_live_in_one_process() -> None:
    with temporary_app() as one, temporary_app() as two:
        run_flow("id: a\nnamespace: n\ntasks: [{id: t, type: log.Log, message: x}]", app=one)
        assert len(one.executions.list(ExecutionFilter()).data) == 1
        assert two.executions.list(ExecutionFilter()).data == ()


def test_what_somebody_works_on_is_not_run_twice(app: App, created: Created, tmp_path: Path) -> None:
    execution = created(hold(tmp_path / "gate"))
    thread = begin(app, execution)
    with pytest.raises(Conflict) as caught:
        app.executions.run(execution.id)
    assert str(caught.value) == f"another process works on the execution {execution.id}"
    (tmp_path / "gate").touch()
    thread.join(PATIENCE)
    assert app.executions.run(execution.id).state == "SUCCESS"


# -- ids, and what people mean by them


def test_ids_may_be_shortened_as_long_as_they_are_clear(app: App) -> None:
    runs = [run_flow("id: a\nnamespace: n\ntasks: [{id: t, type: log.Log, message: x}]", app=app) for _ in range(2)]
    ids = [run.id for run in runs]
    assert (app.executions.get("last").id, app.executions.get(ids[0]).id) == (ids[1], ids[0])
    with pytest.raises(Invalid) as many:
        app.executions.get(ids[0][:5])
    assert str(many.value) == (
        f"`{ids[0][:5]}` is the beginning of more than one execution's id\n  expected: more of the id"
    )
    with pytest.raises(NotFound) as none:
        app.executions.get("nope")
    assert str(none.value) == "there is no execution `nope`\n  to do: `executions list` shows the newest ones"
    assert app.outputs.get("last/t").flow_execution_id == ids[1]
    with pytest.raises(NotFound) as task:
        app.outputs.get(f"{ids[0]}/u")
    assert str(task.value) == f"no task `u` ran in the execution {ids[0]}\n  expected: one of: t"


# -- outputs beyond the limit


def test_a_large_output_is_a_file_that_later_tasks_read(app: App) -> None:
    text = "é" * 5000
    run = run_flow(
        """
id: a
namespace: n
inputs: [{id: text, type: STRING}]
tasks:
  - {id: big, type: debug.Return, format: "{{ inputs.text }}"}
  - {id: small, type: debug.Return, format: "{{ outputs.big.value | length }}"}
  - {id: all, type: debug.Return, format: "{{ outputs | length }}"}
outputs: [{id: n, type: INT, value: "{{ outputs.big.value | length }}"}]
""",
        {"text": text},
        app=app,
    )
    assert (run.state, run.outputs, run.tasks["small"].output) == ("SUCCESS", {"n": 5000}, {"value": "5000"})
    assert run.tasks["all"].output == {"value": "2"}
    view = app.outputs.get(run.tasks["big"].id)
    stored = app.records.output("default", view.id)
    assert stored is not None
    assert stored.text is None
    assert stored.uri is not None
    assert view.output_size == app.files.stat(stored.uri).size == 10_012
    assert view.output_preview == ('{"value":"' + text)[:300]
    assert app.outputs.value(view.id) == {"value": text}
    assert app.evaluator.evaluate(run.id, "outputs.big.value | length").value == 5000
    assert app.executions.purge(ExecutionFilter()) == 1
    assert app.files.list("storage:///") == ()


# -- secrets


def test_a_secret_in_an_inputs_default_is_recorded_by_its_name(app: App) -> None:
    run = run_flow(
        """
id: a
namespace: n
inputs: [{id: token, type: STRING, defaults: "{{ secret('TOKEN') }}"}]
tasks:
  - {id: uses, type: debug.Return, format: "{{ inputs.token | length }} {{ inputs.token }}"}
  - {id: skips, type: debug.Return, format: x, runIf: "{{ (inputs.token | length) != 11 }}"}
""",
        app=app,
    )
    assert app.executions.get(run.id).inputs == {"token": SecretText((("TOKEN",),))}
    assert run.tasks["uses"].output == {"value": "11 open-sesame"}
    assert run.tasks["skips"].state == "SKIPPED"
    assert run.logs == (("DEBUG", "11 ••••"),)
    assert b"open-sesame" not in every_byte(app)


def test_a_secret_goes_from_task_to_task_and_is_written_nowhere(app: App) -> None:
    run = run_flow(
        """
id: a
namespace: n
tasks:
  - {id: first, type: output.OutputValues, values: {list: ["Bearer {{ secret('TOKEN') }}"], user: "{{ secret('JSON', subkey='user') }}", "{{ secret('TOKEN') }}": 1}}
  - {id: second, type: debug.Return, format: "{{ outputs.first.values.list[0] | length }} {{ outputs.first.values.user }}"}
  - {id: third, type: execution.Fail, errorMessage: "no {{ outputs.second.value }}", allowFailure: true}
outputs: [{id: o, type: JSON, value: "{{ outputs.first.values }}"}]
""",
        app=app,
    )
    assert run.state == "WARNING"
    assert run.tasks["second"].output == {"value": "18 admin-user"}
    assert app.outputs.value(run.tasks["second"].id) == {"value": SecretText(("18 ", ("JSON", "user")))}
    assert run.tasks["third"].error == "no 18 ••••"
    assert app.evaluator.evaluate(run.id, "outputs.first.values.list[0]").text == "Bearer ••••"
    everything = every_byte(app)
    assert b"open-sesame" not in everything
    assert b"admin-user" not in everything


@pytest.mark.parametrize("expression", ["secret('TOKEN')", "{{ secret('TOKEN') | length }}", "render('{{ secret(\"TOKEN\") }}')"])  # fmt: skip
def test_a_persons_evaluator_tells_no_secret(app: App, expression: str) -> None:
    run = run_flow("id: a\nnamespace: n\ntasks: [{id: t, type: log.Log, message: x}]", app=app)
    with pytest.raises(TailraceError) as caught:
        app.evaluator.evaluate(run.id, expression)
    assert "secrets can't be read here" in str(caught.value)
    assert isinstance(caught.value, Forbidden) or expression.startswith("render")


@pytest.mark.parametrize("condition", ["{{ secret('FLAG') }}", "{{ secret('FLAG') == 'true' }}"])
def test_a_secret_may_decide_a_condition(app: App, condition: str) -> None:
    task = f'{{id: t, type: log.Log, message: x, runIf: "{condition}"}}'
    run = run_flow(f"id: a\nnamespace: n\ntasks: [{task}]", app=app)
    assert run.tasks["t"].state == "SKIPPED"


def test_a_missing_secret_is_named_with_both_ways_to_give_it(app: App) -> None:
    run = run_flow("id: a\nnamespace: n\ntasks: [{id: t, type: log.Log, message: \"{{ secret('NOPE') }}\"}]", app=app)
    assert run.tasks["t"].error == (
        "$.message, line 3, column 41: Cannot find secret for key 'NOPE'.\n"
        "  expected: a line `NOPE=…` in the file of --secrets, or the environment variable SECRET_NOPE"
    )


def every_byte(app: App) -> bytes:
    """All that the home holds, the records' journal included."""
    return b"".join(path.read_bytes() for path in sorted(app.settings.home.rglob("*")) if path.is_file())


# -- preflight, inputs, home


def test_a_home_below_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = load_settings(home=tmp_path / "file" / "home", environment={})
    with open_app(settings) as app, pytest.raises(Unreachable) as caught:
        app.executions.list(ExecutionFilter())
    assert str(caught.value) == (
        f"{tmp_path}/file/home: the home directory can't be used: not a directory\n"
        "  expected: a directory on a local disk that you may write\n"
        "  to do: give another one with --home DIR or TAILRACE_HOME"
    )


def test_every_wrong_input_is_named_at_once(app: App, tmp_path: Path) -> None:
    flow = "id: a\nnamespace: n\ninputs: [{id: x, type: INT}, {id: y, type: STRING}]\ntasks: [{id: t, type: log.Log, message: x}]"  # fmt: skip
    with pytest.raises(InvalidInput) as caught:
        run_flow(flow, {"x": "many"}, app=app)
    assert str(caught.value).splitlines()[1:] == [
        "Missing required input:y", "  to do: give inputs as -i NAME=VALUE; this flow has: x (INT), y (STRING)",
    ]  # fmt: skip
    assert app.executions.list(ExecutionFilter()).data == ()


def test_outputs_are_listed_across_executions(app: App) -> None:
    for _ in range(3):
        run_flow("id: a\nnamespace: n\ntasks: [{id: t, type: debug.Return, format: x}]", app=app)
    page = app.outputs.list(OutputFilter(task_name=("t",), limit=2))
    rest = app.outputs.list(OutputFilter(task_name=("t",), starting_after=page.next))
    assert (len(page.data), page.has_more, len(rest.data), rest.has_more) == (2, True, 1, False)
    assert len(app.outputs.list(OutputFilter(flow_execution_id=("last",))).data) == 1


def test_values_of_every_kind_survive_a_run(app: App) -> None:
    values: dict[str, Any] = {"big": 2**53 + 1, "one": 1.0, "empty": {"": ""}, "list": [None, True, -0.5]}
    run = run_flow(
        "id: a\nnamespace: n\ninputs: [{id: v, type: JSON}]\ntasks:\n"
        '  - {id: t, type: output.OutputValues, values: {v: "{{ inputs.v }}"}}\n'
        'outputs: [{id: v, type: JSON, value: "{{ inputs.v }}"}]',
        {"v": values},
        app=app,
    )
    assert (run.state, run.outputs, run.inputs) == ("SUCCESS", {"v": values}, {"v": values})
    assert [type(one) for one in (run.outputs["v"]["big"], run.outputs["v"]["one"])] == [int, float]


def test_a_task_that_breaks_tells_no_traceback_to_people(app: App) -> None:
    run = run_flow("id: a\nnamespace: n\ntasks: [{id: t, type: testing.Break, how: exit}]", app=app)
    assert run.state == "FAILED"
    assert run.tasks["t"].error.startswith("the task type testing.Break has an error of its own: SystemExit: not my")
    shown = [line.message for line in app.executions.logs(run.id, level="INFO")]
    assert shown == [run.tasks["t"].error]
    assert [reason.text for reason in app.executions.why(run.id)] == [
        "it has ended: FAILED", f"t FAILED: {run.tasks['t'].error}",
    ]  # fmt: skip


def test_the_tasks_of_these_tests_are_known_to_the_app(app: App) -> None:
    assert {cls.type for cls in TASKS} <= {entry.name for entry in app.registry.entries("task")}
