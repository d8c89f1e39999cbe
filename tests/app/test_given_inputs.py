"""Inputs as an execution gets them: files that are not there, and expressions in place of values."""

from __future__ import annotations

from typing import Any

import pytest

from core.app import App
from core.errors import InvalidInput

FLOW = (
    "id: asks\nnamespace: company.team\ninputs:\n  - {id: a, %s}\ntasks:\n  - {id: say, type: log.Log, message: hi}\n"
)


def given(app: App, declared: str, **inputs: Any) -> Any:
    """The value of the input `a` of an execution."""
    return app.executions.create(app.flows.read(FLOW % declared), inputs)[0].inputs["a"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("storage:///company/team/x.csv", "there is no file, but received `storage:///company/team/x.csv`"),
        ("kestra:///x.csv", "there is no file, but received `kestra:///x.csv`"),
        ("~nobody-has-this-name/x.csv", "there is no file, but received `~nobody-has-this-name/x.csv`"),
        ("x" * 300, f"there is no file, but received `{'x' * 300}`"),
        (
            "s3://bucket/x.csv",
            "Invalid URI format, but received `s3://bucket/x.csv`\n"
            "  expected: the path of a file, or `storage:///…` or `nsfile:///…` of a stored one",
        ),
    ],
)
def test_what_is_no_file_is_told_with_its_input(app: App, value: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        given(app, "type: FILE", a=value)

    assert str(caught.value) == f"Invalid input for `a`, {why}"


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("type: STRING, defaults: \"{{ {'n': [1, 2.5]} }}\"", '{"n":[1,2.5]}'),
        ("type: STRING, defaults: \"{{ [1, 'x'] }}\"", '[1,"x"]'),
        ('type: SELECT, values: ["[1]"], defaults: "{{ [1] }}"', "[1]"),
        ("type: JSON, defaults: \"{{ {'n': [1, 2]} }}\"", {"n": [1, 2]}),
        ("type: ENUM, values: [~, x], defaults: x", "x"),
        ("type: SELECT, values: [~, x], autoSelectFirst: true", "x"),
    ],
)
def test_a_default_becomes_a_value_of_its_type(app: App, declared: str, value: object) -> None:
    assert given(app, declared) == value


def test_a_paused_execution_takes_the_same_forms_of_values(app: App) -> None:
    flow = """
id: asks
namespace: company.team
tasks:
  - {id: ask, type: flow.Pause, onResume: [{id: a.b, type: INT}]}
"""
    for forms in ({"a": {"b": 5}}, {"a.b": "5"}):
        view = app.run(flow)
        app.executions.resume(view.id, forms)
        app.executions.run(view.id)
        assert app.outputs.value(f"{view.id}/ask")["onResume"] == {"a": {"b": 5}}
    with pytest.raises(InvalidInput) as caught:
        app.executions.resume(app.run(flow).id, {"a.b": 5, "a.c": 6})
    assert caught.value.what == "`a.c` is not an input of the waiting task"
