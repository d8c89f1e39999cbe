"""Functions of the language that are not offered: told before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from core.expressions import ENGINE_FUNCTIONS
from core.loading import Loaded
from core.loading.absent import INSTEAD
from core.work.functions import EngineFunctions

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\n"
TASK = "tasks: [{id: t, type: debug.Return, format: %s}]\n"


def told(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_they_are_those_that_the_engine_does_not_give() -> None:
    nothing = cast(Any, None)
    given = EngineFunctions(nothing, nothing, nothing, nothing, nothing).table()
    assert INSTEAD.keys() == ENGINE_FUNCTIONS - given.keys()


@pytest.mark.parametrize(
    "call", ["http('https://a.b')", "HTTP(uri='x') | first", "1 == 1 ? http('x') : 2", "[http('x')]"]
)
def test_a_flow_that_calls_one_is_refused_with_its_place(call: str, load: Load) -> None:
    assert told(load(HEAD + TASK % f'"{{{{ {call} }}}}"')) == [
        "flow.yaml:3:37: the function `http` is not offered in this version\n"
        "  to do: let a task of type `http.Request` ask, and read its output"
    ]


@pytest.mark.parametrize("name", INSTEAD)
def test_each_of_them_is_refused(name: str, load: Load) -> None:
    (problem,) = told(load(HEAD + TASK % f'"{{{{ {name}() }}}}"'))
    assert problem.startswith(f"flow.yaml:3:37: the function `{name}` is not offered in this version\n")


def test_inputs_and_outputs_are_looked_at_too(load: Load) -> None:
    inputs = "inputs: [{id: a, type: SELECT, expression: \"{{ http('x') }}\"}]\n"
    outputs = "outputs: [{id: o, type: STRING, value: \"{{ env('A') }}\"}]\n"
    assert [one.partition("\n")[0] for one in told(load(HEAD + inputs + TASK % "x" + outputs))] == [
        "flow.yaml:3:32: the function `http` is not offered in this version",
        "flow.yaml:5:33: the function `env` is not offered in this version",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '"curl http(s) {{ flow.id }}"',
        "\"{{ 'http(x)' }}\"",
        "\"{% raw %}{{ http('x') }}{% endraw %}{# http('x') #}{{ vars.http('x') }}\"",
        '"{% macro env(x) %}{{ x }}{% endmacro %}{{ env(1) }}"',
    ],
)
def test_words_that_only_look_like_one_are_fine(text: str, load: Load) -> None:
    assert told(load(HEAD + TASK % text)) == []


def test_what_only_a_trigger_asks_is_not_refused(load: Load) -> None:
    when = "{{ isPublicHoliday(trigger.date, 'FR') }}"
    trigger = f'triggers: [{{id: t, type: trigger.Schedule, cron: "@daily", when: "{when}"}}]\n'
    assert [one for one in told(load(HEAD + TASK % "x" + trigger)) if "function" in one] == []
