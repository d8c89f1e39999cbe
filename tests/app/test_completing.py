"""Names that fit at a place of an expression, as they are in the recorded context of an execution."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.app import App
from core.errors import NotFound
from core.host.overviews import Completion, Completions
from core.host.seam import Place
from core.testing.apps import temporary_app
from core.testing.flows import run_flow
from core.work.functions import EngineFunctions, refuse_secret

FLOW = """
id: completed
namespace: company.team
inputs:
  - {id: name, type: STRING, defaults: Ada}
  - {id: token, type: STRING, defaults: "{{ secret('TOKEN') }}"}
variables: {my-var: 1, other: {x: 1.5}}
tasks:
  - id: each
    type: flow.ForEach
    values: ["x", "y"]
    tasks:
      - {id: one, type: debug.Return, format: "{{ taskrun.value }}"}
  - {id: my-task, type: debug.Return, format: last}
  - {id: fetch, type: output.OutputValues, values: {a: 1, b-c: [{k: 2}], "it's": null, deep: {list: [1], on: true}}}
  - {id: large, type: debug.Return, format: "{{ 'x'.repeat(5000) }}"}
"""


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with temporary_app(secrets={"TOKEN": "open-sesame"}, inline_limit=1000) as made:
        yield made


@pytest.fixture(scope="module")
def run(app: App) -> str:
    ended = run_flow(FLOW, app=app)
    assert ended.state == "SUCCESS"
    return ended.id


def names(found: Completions) -> list[str]:
    return [one.name for one in found.names]


@pytest.mark.parametrize(
    ("text", "start", "first"),
    [
        ("", 0, ["outputs", "inputs", "vars", "tasks", "execution", "flow"]),
        ("out", 0, ["outputs", "currentEachOutput"]),
        ("outputs.", 8, ["one", "['my-task']", "fetch", "large", "size()"]),
        ("outputs.one.", 12, ["x", "y", "size()"]),
        ("outputs['m", 9, ["my-task']"]),
        ("outputs[", 8, ["'one']", "'my-task']", "'fetch']", "'large']", "outputs"]),
        ("outputs.fetch.values['it", 22, ["it\\'s']"]),
        ('outputs.fetch.values["it', 22, ["it's\"]"]),
        ("outputs.fetch.values.", 21, ["a", "['b-c']", "['it\\'s']", "deep", "size()"]),
        ("outputs.fetch.values['b-c'][0].", 31, ["k", "size()"]),
        ("outputs.fetch.values.deep.L", 26, ["list"]),
        ("{% for row in outputs.fetch.values['b-c'] %}{{ row.", 51, ["k", "size()"]),
        ("{% set all = outputs.fetch.values %}{{ all.de", 43, ["deep", "getOrDefault()"]),
        ("{% set alias = 1 %}{{ al", 22, ["alias", "globals"]),
        ("(outputs.fetch.values | merge({'z': 1})).", 41, ["a", "['b-c']", "['it\\'s']", "deep", "z"]),
        ("outputs.large.value.len", 20, ["length()"]),
        ("now() | dat", 8, ["date", "dateAdd"]),
        ("outputs is n", 11, ["null", "defined", "even"]),
        ("outputs an", 8, ["and"]),
        ("outpts", 0, ["outputs"]),
        ("outputs.ftch", 8, ["fetch"]),
        ("inputs.nam | up", 13, ["upper"]),
        ("nosuch.", 7, []),
        ("kv('nosuch').", 13, []),
        ("outputs.fetch.values.a.b.", 25, []),
        ("{{ 1 }} plain", 13, []),
    ],
)
def test_names_are_those_of_the_real_context(app: App, run: str, text: str, start: int, first: list[str]) -> None:
    found = app.evaluator.complete(run, text, len(text))
    assert found.start == start
    assert names(found)[: len(first)] == first
    assert first or not found.names


def test_each_name_tells_what_it_is(app: App, run: str) -> None:
    found = app.evaluator.complete(run, "outputs.fetch.values.", 21).names
    assert found[:4] == (
        Completion("a", "whole number"), Completion("['b-c']", "list", 20), Completion("['it\\'s']", "", 20),
        Completion("deep", "map"),
    )  # fmt: skip
    assert app.evaluator.complete(run, "a | chun", 8).names == (Completion("chunk", "(size)"),)
    assert app.evaluator.complete(run, "fileSi", 6).names == (Completion("fileSize", "(path, namespace?)"),)


def test_only_what_stands_before_the_cursor_is_completed(app: App, run: str) -> None:
    found = app.evaluator.complete(run, "outputs.fetch.values | keys", 10)
    assert (found.start, names(found)) == (8, ["fetch"])
    assert names(app.evaluator.complete(run, "outputs['my']", 11)) == ["my-task"]  # its quote and bracket are there


def test_a_task_has_names_of_its_own(app: App, run: str) -> None:
    assert names(app.evaluator.complete(run, "taskru", 6)) == ["tasks"]  # the nearest there is
    assert names(app.evaluator.complete(run, "taskru", 6, task_name="one")) == ["taskrun"]
    found = app.evaluator.complete(run, "taskrun.", 8, task_name="one", value="y")
    assert names(found)[:6] == ["id", "startDate", "attemptsCount", "parentId", "value", "iteration"]


def test_secrets_are_never_told(app: App, run: str) -> None:
    assert names(app.evaluator.complete(run, "secr", 4)) == []
    for text in ("secret('", "secret('TOKEN').", "inputs.token.", "inputs.token | "):
        assert "sesame" not in str(app.evaluator.complete(run, text, len(text)))
    assert app.evaluator.complete(run, "secret('TOKEN').", 16).names == ()
    assert app.evaluator.complete(run, "inputs.token.", 13).names == ()
    assert app.evaluator.complete(run, "inputs.tok", 10).names == (Completion("token", "text"),)


def test_there_are_at_most_fifty(app: App, run: str) -> None:
    assert len(app.evaluator.complete(run, "a | ", 4).names) == 50


def test_an_execution_that_is_not_there_is_told(app: App) -> None:
    with pytest.raises(NotFound):
        app.evaluator.complete("0193d2b0-0000-7000-8000-000000000000", "outputs.", 8)


def test_every_function_that_people_may_call_is_completed(app: App, run: str) -> None:
    handed = EngineFunctions(Place("default", "a", "b", run), None, None, refuse_secret, print).table()  # type: ignore[arg-type]
    for name in handed:
        known = [one.name for one in app.evaluator.complete(run, name, len(name)).names]
        assert (name in known) is (name != "secret")


def test_a_name_with_an_operator_for_its_name_is_a_key(app: App, run: str) -> None:
    assert names(app.evaluator.complete(run, "{% set m = {'is': 1, 'or': 2} %}{{ m.", 37))[:2] == ["['is']", "['or']"]
