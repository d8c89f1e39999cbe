from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from core.app import App
from core.host import Exit, SetLabels
from core.sdk import Forbidden, Invalid, TaskFailed
from core.testing import run_flow, run_task, temporary_app
from core.testing.plain_context import PlainContext
from tailrace_essentials.execution import Assert, Label, Labels, SetVariables, UnsetVariables
from tailrace_essentials.execution import Exit as ExitTask


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app(secrets={"TOKEN": "s3cr3t-token"}) as made:
        yield made


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path, variables={"n": 5})


def own(labels: Mapping[str, str]) -> dict[str, str]:
    """Without those of the system."""
    return {key: value for key, value in labels.items() if not key.startswith("system.")}


@pytest.mark.parametrize(
    "labels",
    [{"a": "1", "b": "2"}, [{"key": "a", "value": "1"}, {"key": "b", "value": 2}], '{"a": "1", "b": 2}'],
)
def test_labels_are_given_as_a_map_a_list_or_json(labels: object) -> None:
    run = run_task({"type": "io.kestra.core.tasks.executions.Labels", "labels": labels})
    assert (run.error, run.requests) == ("", (SetLabels({"a": "1", "b": "2"}),))


def test_labels_of_the_system_are_refused(ctx: PlainContext) -> None:
    with pytest.raises(Forbidden) as caught:
        Labels(labels=[Label(key="system.from", value="me")]).run(ctx)
    assert str(caught.value) == (
        "System labels can only be set by the system itself, offending label: system.from=me\n"
        "  expected: a key that does not begin with `system.`"
    )


def test_labels_are_neither_a_text_nor_a_list_of_texts() -> None:
    run = run_task({"type": "execution.Labels", "labels": "team=a"})
    assert run.state == "FAILED"
    assert run.error.startswith("$.labels: ")


def test_variables_that_are_there_are_kept_when_they_are_not_to_be_overwritten(ctx: PlainContext) -> None:
    ctx.execution.variables.update({"a": 1, "b": 2})
    with pytest.raises(Invalid) as caught:
        SetVariables(variables={"a": 3, "c": 4, "b": 5}, overwrite=False).run(ctx)
    assert str(caught.value) == "`overwrite` is set to false and the following variables already exist: a,b"
    SetVariables(variables={"c": 4}, overwrite=False).run(ctx)
    assert ctx.execution.variables == {"a": 1, "b": 2, "c": 4}


def test_variables_that_are_not_there_are_told(ctx: PlainContext) -> None:
    ctx.execution.variables.update({"a": {"x": 1}, "b": 2})
    with pytest.raises(Invalid) as caught:
        UnsetVariables(variables=["a.x", "a.y", "b.c", "d"]).run(ctx)
    assert str(caught.value) == (
        "the following variables don't exist: a.y,b.c,d\n  to do: ignoreMissing: true lets them be"
    )
    UnsetVariables(variables=["a.x", "d"], ignore_missing=True).run(ctx)
    assert ctx.execution.unset == ["a.x", "d"]


@pytest.mark.parametrize(("written", "state"), [("WARNING", "WARNING"), ("CANCELED", "CANCELLED"), (None, "SUCCESS")])
def test_exit(written: str | None, state: str) -> None:
    run = run_task({"type": "execution.Exit"} | ({"state": written} if written else {}))
    assert (run.error, run.requests) == ("", (Exit(state),))


def test_exit_knows_only_states_of_the_end(ctx: PlainContext) -> None:
    ExitTask(state="KILLED").run(ctx)
    assert ctx.execution.exited == "KILLED"
    assert run_task({"type": "execution.Exit", "state": "RUNNING"}).error == (
        "$.state: `RUNNING` is not one of SUCCESS, WARNING, KILLED, FAILED, CANCELED, CANCELLED\n"
        "  to do: did you mean `WARNING`?"
    )


def test_assert_tells_every_condition_that_does_not_hold(ctx: PlainContext) -> None:
    with pytest.raises(TaskFailed) as caught:
        Assert(conditions=["{{ n }}", "0", "{{ nope }}", "false"], error_message="so it is").run(ctx)
    assert str(caught.value) == "3 assertion(s) failed!\nso it is"
    assert ctx.log.lines == [
        ("ERROR", "Assertion failed: 0"),
        ("ERROR", "Assertion `{{ nope }}` can't be rendered: `nope` is not among the variables of this context"),
        ("ERROR", "Assertion failed: false"),
    ]
    assert [(metric.name, metric.value) for metric in ctx.metrics] == [("failed", 3), ("success", 1)]


def test_assert_is_silent_when_all_holds(ctx: PlainContext) -> None:
    Assert(conditions=["{{ n }}", "true"], error_message="no").run(ctx)
    assert ctx.log.lines == []
    assert [(metric.name, metric.value) for metric in ctx.metrics] == [("failed", 0), ("success", 2)]


# In flows

EFFECTS = """
id: effects
namespace: company.team
labels: {a: flow, b: flow}
variables: {day: monday, nested: {x: 1, y: 2}}
tasks:
  - {id: labels, type: execution.Labels, labels: {b: "{{ vars.day }}", c: new}}
  - {id: seen, type: debug.Return, format: "{{ labels.a }} {{ labels.b }} {{ labels.c }}"}
  - {id: set, type: execution.SetVariables, variables: {day: tuesday, nested: {x: 3}, more: "{{ 1 + 1 }}"}}
  - {id: vars, type: debug.Return, format: "{{ vars.day }} {{ vars.nested.x }} {{ vars.nested.y }} {{ vars.more }}"}
  - {id: unset, type: execution.UnsetVariables, variables: [nested.x, more]}
  - {id: left, type: debug.Return, format: "{{ vars.nested }} {{ vars.more ?? 'gone' }}"}
"""


def test_labels_and_variables_are_seen_by_the_tasks_that_follow_and_recorded(app: App) -> None:
    run = run_flow(EFFECTS, app=app)
    assert (run.state, run.error) == ("SUCCESS", "")
    assert run.tasks["seen"].output == {"value": "flow monday new"}
    assert run.tasks["vars"].output == {"value": "tuesday 3 2 2"}
    assert run.tasks["left"].output == {"value": '{"y":2} gone'}
    view = app.executions.get(run.id)
    assert own(view.labels) == {"a": "flow", "b": "monday", "c": "new"}
    assert view.variables == {"day": "tuesday", "nested": {"y": 2}}
    assert app.evaluator.evaluate(run.id, "vars.day ~ labels.c").text == "tuesdaynew"


SECRET = """
id: secret
namespace: company.team
tasks:
  - {id: set, type: execution.SetVariables, variables: {auth: "Bearer {{ secret('TOKEN') }}"}}
  - {id: right, type: debug.Return, format: "{{ vars.auth | length }}"}
  - {id: labels, type: execution.Labels, labels: {auth: "{{ vars.auth }}"}}
"""


def test_a_secret_in_a_variable_is_recorded_by_name_and_covered_in_a_label(app: App) -> None:
    run = run_flow(SECRET, app=app)
    assert (run.state, run.error) == ("SUCCESS", "")
    assert run.tasks["right"].output == {"value": str(len("Bearer s3cr3t-token"))}
    view = app.executions.get(run.id)
    assert {name: str(value) for name, value in (view.variables or {}).items()} == {"auth": "Bearer ••••"}
    assert own(view.labels) == {"auth": "Bearer ••••"}
    assert b"s3cr3t-token" not in b"".join(path.read_bytes() for path in app.settings.home.glob("records.db*"))


EXIT = """
id: exit
namespace: company.team
tasks:
  - {id: first, type: debug.Return, format: a}
  - {id: exit, type: io.kestra.plugin.core.execution.Exit, state: %s}
  - {id: never, type: debug.Return, format: b}
"""


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        ("SUCCESS", "SUCCESS"), ("WARNING", "WARNING"), ("FAILED", "FAILED"), ("CANCELED", "CANCELLED"),
        ("KILLED", "KILLED"),
    ],
)  # fmt: skip
def test_exit_ends_the_execution(app: App, state: str, ends: str) -> None:
    run = run_flow(EXIT % state, app=app)
    assert (run.state, list(run.tasks)) == (ends, ["first", "exit"])
    assert run.tasks["exit"].state == ends


ASSERT = """
id: sure
namespace: company.team
tasks:
  - id: load
    type: output.OutputValues
    values: {rows: 3}
  - id: sure
    type: execution.Assert
    conditions: ["{{ outputs.load.values.rows == 3 }}", "{{ outputs.load.values.rows > 5 }}"]
    errorMessage: too few rows
"""


def test_assert_in_a_flow(app: App) -> None:
    run = run_flow(ASSERT, app=app)
    assert (run.state, run.tasks["sure"].error) == ("FAILED", "1 assertion(s) failed!\ntoo few rows")
    assert ("ERROR", "Assertion failed: {{ outputs.load.values.rows > 5 }}") in run.tasks["sure"].logs


