"""`http.Trigger`: checked whole, not run."""

from __future__ import annotations

import pytest

from core.loading import Loaded, load_flow
from core.registry import load_registry

HEAD = "id: f\nnamespace: a.b\ntasks: [{id: a, type: log.Log, message: '{{ trigger.body }}'}]\ntriggers:\n"


def load(trigger: str) -> Loaded:
    return load_flow(f"{HEAD}- {{id: t, {trigger}}}\n", load_registry(None), "f.yaml")


@pytest.mark.parametrize(
    "written",
    [
        "type: io.kestra.plugin.core.http.Trigger, uri: 'https://host/x', interval: PT30S, stopAfter: [SUCCESS]",
        "type: io.kestra.plugin.fs.http.Trigger, uri: '{{ vars.uri }}', responseCondition: '{{ response.body != \"\" }}'",
        "type: http.Trigger, uri: 'https://host', method: POST, body: x, headers: {a: b}, encryptBody: true, "
        "options: {auth: {type: BEARER, token: t}, followRedirects: false}, conditions: [{type: condition.Weekend}]",
        "type: http.Trigger, uri: 'https://host', formData: {a: b}, contentType: multipart/form-data",
    ],
)
def test_a_trigger_is_read(written: str) -> None:
    loaded = load(written)

    assert loaded.problems == ()
    assert loaded.require().said_of_triggers() == "its triggers (t) are not active: a flow starts when somebody runs it"


WRONG = {
    "type: http.Trigger": "f.yaml:5:3: `uri` is missing\n  expected: a text",
    "type: http.Trigger, uri: 'https://host', interval: PT0S": (
        "f.yaml:5:62: `interval` must be positive\n  expected: a duration such as PT30S"
    ),
    "type: http.Trigger, uri: 'https://host', options: {alowFailed: true}": (
        "f.yaml:5:62: there is no property `alowFailed`\n  to do: did you mean `allowFailed`?"
    ),
    "type: http.Trigger, uri: '{{ a'": "f.yaml:5:36: `{{` is never closed\n    {{ a\n    ^\n  expected: `}}`",
    "type: http.Request, uri: 'https://host'": (
        "f.yaml:5:17: Invalid type: http.Request is not a trigger\n"
        "  expected: the type of a trigger, such as trigger.Schedule"
    ),
}


@pytest.mark.parametrize(("written", "message"), WRONG.items(), ids=list(WRONG))
def test_what_is_wrong_with_a_trigger_is_said_with_its_place(written: str, message: str) -> None:
    loaded = load(written)

    assert loaded.flow is None
    assert str(loaded.problems[0]) == message


def test_a_trigger_is_no_task() -> None:
    source = "id: f\nnamespace: a.b\ntasks: [{id: a, type: http.Trigger, uri: 'https://host'}]\n"

    assert [str(problem) for problem in load_flow(source, load_registry(None), "f.yaml").problems] == [
        "f.yaml:3:23: Invalid type: http.Trigger is not a task\n  expected: the type of a task, such as log.Log"
    ]
