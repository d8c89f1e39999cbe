"""The evaluator for people: all of an expression in a process that can be killed, unless nothing in it can take long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.app import App
from core.errors import ExpressionError, Forbidden, NotFound, TailraceError, TooLarge
from core.expressions import is_quick
from core.testing.apps import temporary_app
from core.testing.flows import run_flow
from core.work.helper import Helper

FLOW = """
id: a
namespace: company.team
inputs:
  - {id: n, type: INT, defaults: 1000000000}
  - {id: when, type: DATETIME, defaults: "2024-02-29T10:00:00Z"}
tasks:
  - {id: small, type: debug.Return, format: "[1, 2]"}
  - {id: big, type: debug.Return, format: "{{ 'x'.repeat(5000) }}"}
"""


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with temporary_app(secrets={"TOKEN": "open-sesame"}, inline_limit=1000, globals={"region": "eu"}) as made:
        made.kv.set("company", "who", {"name": "Ada"})
        yield made


@pytest.fixture(scope="module")
def run(app: App) -> str:
    return run_flow(FLOW, app=app).id


@pytest.mark.parametrize(
    ("expression", "value", "text", "type"),
    [
        ("inputs.n", 1_000_000_000, "1000000000", "whole number"),
        ("outputs.small.value | jq('.[]')", [1, 2], "[1,2]", "list"),
        ("outputs.big.value | sha256 | length", 64, "64", "whole number"),
        ("(outputs.big.value | split('')) | length", 5000, "5000", "whole number"),
        ("kv('who').name", "Ada", "Ada", "text"),
        ("(inputs.when | dateAdd(1, 'DAYS')) ~ ''", "2024-03-01T10:00:00.000000Z", "2024-03-01T10:00:00.000000Z", "text"),
        ("{'a': 1.5}", {"a": 1.5}, '{"a":1.5}', "map"),
        ("(uuid() | length) + (now() | date('yyyy') | number)", None, "", "whole number"),
        ("tasks.small.state ~ (tasksWithState('success') | length)", "SUCCESS2", "SUCCESS2", "text"),
        ("{{ 1 }}{% if true %}2{% endif %}", "12", "12", "text"),
        ("inputs.entrySet() | first", "n=1000000000", "n=1000000000", "text"),
        ("globals.region", "eu", "eu", "text"),
        ("globals | jq('.region') | first", "eu", "eu", "text"),
    ],
)
def test_a_process_of_its_own_gives_what_the_engine_would(
    app: App, run: str, expression: str, value: Any, text: str, type: str
) -> None:
    found = app.evaluator.evaluate(run, expression)
    assert found.type == type
    assert value is None or (found.value, found.text) == (value, text)


LOOP = """
id: loop
namespace: company.team
tasks:
  - id: each
    type: flow.ForEach
    values: ["x", "y"]
    tasks:
      - {id: one, type: debug.Return, format: "{{ taskrun.value }}{{ taskrun.iteration }}"}
      - id: choose
        type: flow.If
        condition: "{{ taskrun.value == 'y' }}"
        then: [{id: two, type: debug.Return, format: "{{ outputs.one[parent.taskrun.value].value }}!"}]
  - {id: after, type: debug.Return, format: last}
"""


@pytest.fixture(scope="module")
def loop(app: App) -> str:
    ended = run_flow(LOOP, app=app)
    assert ended.state == "SUCCESS"
    return ended.id


@pytest.mark.parametrize(
    ("expression", "task", "value", "text"),
    [
        ("outputs.one.y.value", None, None, "y1"),
        ("outputs.one | keys", None, None, '["x","y"]'),
        ("outputs.one | jq('.x.value') | first", None, None, "x0"),  # in a process of its own
        ("outputs", None, None, '{"one":{"x":{"value":"x0"},"y":{"value":"y1"}},"choose":{"x":{"evaluationResult":false},'
         '"y":{"evaluationResult":true}},"two":{"y":{"value":"y1!"}},"after":{"value":"last"}}'),
        ("tasks.one.y.state", None, None, "SUCCESS"),
        ("taskrun.value ~ taskrun.iteration ~ outputs.one[taskrun.value].value", "one", "x", "x0x0"),
        ("currentEachOutput(outputs.one).value", "choose", "y", "y1"),
        ("parent.taskrun.value ~ parents[0].outputs.evaluationResult", "two", None, "ytrue"),
        ("parents | jq('.[0].outputs.evaluationResult') | first", "two", None, "true"),
    ],
)
def test_a_place_below_a_loop_sees_what_its_task_saw(
    app: App, loop: str, expression: str, task: str | None, value: str | None, text: str
) -> None:
    assert app.evaluator.evaluate(loop, expression, task_name=task, value=value).text == text


ATTACKS = (
    ("range(0, inputs.n)", "would make a list of 1,000,000,001 elements"),
    ("1 | jq('def f: f; f')", "the expression takes more than 1.25 s"),
    ("1 | jq('[range(1e12)]')", "the expression takes more than"),
    ("1 | jq('\"a\" * 1e9')", "the expression takes more than 256 MB of memory"),
    ("('a'.repeat(40) ~ '!') | split('(a+)+$')", "the expression takes more than 1.25 s"),
    ("{% for i in 1..1000 %}{% for j in 1..1000 %}{{ big | sha512 }}{% endfor %}{% endfor %}", "is undefined"),
    ("{% set b = 'x'.repeat(9000000) %}{% for i in 1..100000 %}{% set h = b | upper | sha512 %}{% endfor %}", "more than 1"),
    ("{% set b = 'x'.repeat(9000000) %}{% for i in 1..100 %}{% set a = (a ?? []) + [b ~ i] %}{% endfor %}", "MB of memory"),
    ("'a'.repeat(99999999)", "would produce 99,999,999 characters"),
    ("(" * 1000 + "1" + ")" * 1000, "nested too deeply"),
    ("inputs.__class__", "is undefined"),
    ("outputs.small.value.__len__", "is undefined"),
    ("read('file:///etc/passwd')", "it is a file of the machine"),
    ("read('../../etc/passwd')", "there is no file"),
    ("read('storage:///other/file')", "does not belong to this execution"),
    ("1 | jq('import \"passwd\" as $d {search: \"/etc\"}; $d')", "modules can't be loaded"),
    ("secret('TOKEN')", "secrets can't be read here"),
    ("{{ render('{{ secr' ~ 'et(\"TOKEN\") }}') }}", "secrets can't be read here"),
)


def out_of_time(said: str) -> bool:
    """On a slow machine this limit may come before the one that is meant."""
    return said.startswith("the expression takes more than 1")


@pytest.mark.parametrize(("expression", "part"), ATTACKS, ids=lambda text: text[:30])
def test_an_attack_is_refused_in_time(app: App, run: str, expression: str, part: str) -> None:
    with pytest.raises(TailraceError) as caught:
        app.evaluator.evaluate(run, expression)
    said = str(caught.value)
    assert part in said or out_of_time(said)


def test_the_environment_does_not_cross(app: App, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OTHER", "told")
    assert app.evaluator.evaluate(run, "1 | jq('[env, $ENV] | map(has(\"SECRET_OTHER\"))') | first").value == [False, False]


def test_errors_keep_their_class_and_their_place(app: App, run: str) -> None:
    with pytest.raises(Forbidden, match="secrets can't be read here"):
        app.evaluator.evaluate(run, "secret('TOKEN')")
    with pytest.raises(NotFound, match="the key `nobody` does not exist"):
        app.evaluator.evaluate(run, "kv('nobody')")
    with pytest.raises(ExpressionError) as caught:
        app.evaluator.evaluate(run, "kv('who').nam ~ ''")
    assert caught.value.undefined == "kv(…).nam"
    assert "    {{ kv('who').nam ~ '' }}\n" in str(caught.value)


@pytest.mark.parametrize(
    ("template", "quick"),
    [
        ("{{ inputs.n }}", True), ("a {{ outputs.a.value | length }} b", True), ("{{ a ?? b.c[0] | upper }}", True),
        ("{{ a > 1 ? 'x' : -b }}", True), ("{{ a }}" * 1000, False), ("{{ kv('a') }}", False), ("{{ a | jq('.') }}", False),
        ("{{ a | split(',') }}", False), ("{{ a == b }}", False), ("{{ 1..9 }}", False), ("{{ a.repeat(9) }}", False),
        ("{% for i in a %}{% endfor %}", False), ("{{ render(a) }}", False), ("{{ a is empty }}", False), ("{{ [a] }}", False),
    ],
)  # fmt: skip
def test_only_what_can_not_take_long_needs_no_process(template: str, quick: bool) -> None:
    assert is_quick(template) is quick


def test_what_is_quick_starts_no_process(app: App, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Helper, *arguments: object) -> Any:
        raise AssertionError(arguments)

    monkeypatch.setattr(Helper, "call", refuse)
    assert app.evaluator.evaluate(run, "outputs.small.value | length").value == 6


def test_what_is_too_large_is_not_read_into_this_process(app: App, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.work.variables.MAX_TEXT", 100)
    with pytest.raises(TooLarge) as caught:
        app.evaluator.evaluate(run, "outputs.big.value | length")
    assert str(caught.value) == (
        "an output has 5,012 bytes\n  expected: at most 100 in an expression\n  to do: work on it in a task instead"
    )


def test_the_outputs_of_a_loop_are_printed_where_that_can_be_ended(
    app: App, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    call = Helper.call

    def noted(self: Helper, operation: str, *given: Any) -> Any:
        called.append(operation)
        return call(self, operation, *given)

    monkeypatch.setattr(Helper, "call", noted)
    assert app.evaluator.evaluate(loop, "outputs.one").value == {"x": {"value": "x0"}, "y": {"value": "y1"}}
    assert app.evaluator.evaluate(loop, "outputs.one.x.value").value == "x0"
    assert called == ["evaluate"]


LOOP_IN_LOOP = f"""
id: nested
namespace: company.team
tasks:
  - id: outer
    type: flow.ForEach
    values: [1, 2]
    tasks:
      - id: inner
        type: flow.ForEach
        values: [x, a/b, {"y" * 300}]
        tasks: [{{id: leaf, type: debug.Return, format: "{{{{ taskrun.value }}}}"}}]
"""


def test_one_of_several_loops_is_named_by_all_their_values(app: App) -> None:
    """By that of the innermost loop alone, the latest one is meant."""
    run = run_flow(LOOP_IN_LOOP, app=app).id
    expression = "parents[0].taskrun.value ~ taskrun.value"
    for inner in ("x", "a/b", "y" * 300):
        for value, seen in ((f"1/{inner}", f"1{inner}"), (f"2/{inner}", f"2{inner}"), (inner, f"2{inner}")):
            assert app.evaluator.evaluate(run, expression, task_name="leaf", value=value).text == seen
    with pytest.raises(NotFound):
        app.evaluator.evaluate(run, expression, task_name="leaf", value="3/x")


def test_a_task_that_never_ran_is_told_with_those_that_did(app: App, loop: str) -> None:
    with pytest.raises(NotFound) as caught:
        app.evaluator.evaluate(loop, "1", task_name="tow")
    assert str(caught.value) == "no task `tow` ran in this execution\n  expected: one of: each, one, choose, two, after"


def test_a_wrong_name_is_told_with_all_that_there_are(app: App, loop: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        app.evaluator.evaluate(loop, "outputs.aftr.value")
    assert caught.value.expected == "one of outputs.after, outputs.one, outputs.choose, outputs.two"
    assert caught.value.hint == "did you mean `outputs.after`? Or give a fallback: {{ outputs.aftr ?? '…' }}"
