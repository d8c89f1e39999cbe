"""The helper processes: they work, they are killed in time, they leave nothing behind."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ExpressionError, Interrupted, TooLarge, Unreachable
from core.expressions import Renderer
from core.work.helper import Helper
from tests.waiting import PATIENCE

ON_LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at /proc")


@pytest.fixture
def helper() -> Iterator[Helper]:
    made = Helper({**os.environ, "SECRET_TOKEN": "told"}, seconds=0.5)
    yield made
    made.close()


def children() -> set[str]:
    """Ids of this process's children, ended ones that nobody waited for included."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set((task / "children").read_text().split())
    return found


def message(helper: Helper, template: str, **variables: Any) -> str:
    with pytest.raises(ExpressionError) as caught:
        Renderer(helper=helper).render(template, variables)
    return str(caught.value)


def test_operations_give_what_they_give_here(helper: Helper) -> None:
    assert helper("jq", (".a[]", '{"a": [1, null, "ä", 1.5, {"b": []}]}')) == [1, None, "ä", 1.5, {"b": []}]
    assert helper("split", ("a1b22c", r"\d+", 0)) == ["a", "b", "c"]
    assert helper("replace", (["2024-02", "\ud800"], [[r"(\d+)-(\d+)", "$2/$1"]])) == ["02/2024", "\ud800"]


@ON_LINUX
def test_a_process_stays_warm(helper: Helper) -> None:
    before = children()
    for _ in range(3):
        helper("jq", (".", "1"))
    assert len(children() - before) == 1


def test_what_takes_too_long_is_killed_and_told(helper: Helper) -> None:
    assert message(helper, "{{ 1 | jq(program) }}", program="def f: f; f") == (
        "the jq program takes more than 0.5 s\n"
        "    {{ 1 | jq(program) }}\n"
        "           ^\n"
        "  expected: at most 0.5 s\n"
        "  to do: make it simpler or its data smaller, or do this work in a task"
    )
    assert helper("jq", (".", "1")) == [1]


def test_what_takes_too_much_memory_is_told() -> None:
    helper = Helper(os.environ, seconds=20, memory=64 * 1024 * 1024)
    try:
        for program in ('"a" * 1e8', "[range(1e8)]"):
            assert message(helper, "{{ 1 | jq(program) }}", program=program).splitlines()[0] == (
                "the jq program takes more than 64 MB of memory, or goes too deep"
            )
    finally:
        helper.close()


def test_mistakes_keep_their_words_and_get_their_place(helper: Helper) -> None:
    assert message(helper, "{{ 1 | jq(program) }}", program=".[") == (
        "jq: syntax error, unexpected end of file at <top-level>, line 1, column 2\n"
        "    {{ 1 | jq(program) }}\n"
        "           ^"
    )


def test_errors_that_are_no_faults_keep_their_class() -> None:
    helper = Helper(os.environ, seconds=20)
    with pytest.raises(TooLarge, match="a list of 1,000,001 elements"):
        helper("jq", ("range(2e6)", "1"))
    helper.close()


def test_the_environment_stays_outside(helper: Helper) -> None:
    renderer = Renderer(helper=helper)
    assert renderer.render("{{ 1 | jq('env.SECRET_TOKEN, $ENV.SECRET_TOKEN') }}", {}) == "[null,null]"


def test_what_is_literal_needs_no_helper() -> None:
    def refuse(operation: str, arguments: tuple[Any, ...]) -> Any:
        raise AssertionError(operation)

    renderer = Renderer(helper=refuse)
    assert renderer.render("{{ {'a': 1} | jq('.a') }}", {}) == "[1]"
    assert renderer.render(r"{{ 'a1b' | split('\d') }}{{ 'aab' | replace({'a+': 'x'}, regexp=true) }}", {}) == '["a","b"]xb'
    assert renderer.render("{{ 'a,b' | split(separator) }}", {"separator": ","}) == '["a","b"]'


@pytest.mark.parametrize(
    ("template", "operation"),
    [
        ("{{ 1 | jq(p) }}", "jq"),
        ("{{ 1 | jq('.' ~ p) }}", "jq"),
        ("{% set q = '. + 1' %}{{ 1 | jq(q) }}", "jq"),
        ("{{ render(\"{{ 1 | jq('. + 1') }}\") }}", "jq"),
        ("{{ renderOnce(\"{{ 1 | jq('. + 1') }}\") }}", "jq"),
        ("{{ 1 | jq('env') }}", "jq"),
        ("{{ 'a' | split(p) }}", "split"),
        ("{{ 'a' | replace({(p): 'x'}, regexp=true) }}", "replace"),
        ("{{ 'a' | replace(pairs, regexp=true) }}", "replace"),
    ],
)
def test_what_is_computed_goes_to_the_helper(template: str, operation: str) -> None:
    done: list[str] = []

    def note(operation: str, arguments: tuple[Any, ...]) -> Any:
        done.append(operation)
        return ["x"]

    variables = {"p": ".*", "pairs": {".*": "x"}}
    Renderer(helper=note).render(template, variables)
    assert done == [operation]
    with pytest.raises(ExpressionError, match=f"of `{operation}` is computed"):
        Renderer().render(template, variables)


def test_recursive_rendering_makes_a_text_of_the_flow_no_literal() -> None:
    done: list[str] = []

    def note(operation: str, arguments: tuple[Any, ...]) -> Any:
        done.append(operation)
        return [7]

    renderer = Renderer(helper=note, recursive=True)
    assert renderer.render("{{ x }}", {"x": "{{ 1 | jq('. + 1') }}"}) == "[7]"
    assert done == ["jq"]


@ON_LINUX
def test_many_threads_share_a_few_processes(helper: Helper) -> None:
    before = children()
    results: list[Any] = []

    def work(number: int) -> None:
        results.append(helper("jq", (".", str(number))))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [[number] for number in range(16)]
    assert 1 <= len(children() - before) <= 4


@ON_LINUX
def test_nothing_is_left_behind() -> None:
    files, processes = set(os.listdir("/proc/self/fd")), children()
    helper = Helper(os.environ, seconds=0.2)
    helper("jq", (".", "1"))
    message(helper, "{{ 1 | jq(p) }}", p="def f: f; f")
    message(helper, "{{ 1 | jq(p) }}", p='"a" * 1e9')
    helper("jq", (".", "1"))
    helper.close()
    assert children() == processes
    assert set(os.listdir("/proc/self/fd")) <= files


def test_closing_ends_calls_that_run() -> None:
    helper = Helper(os.environ, seconds=30)
    helper("jq", (".", "1"))
    ended: list[BaseException] = []

    def work() -> None:
        try:
            helper("jq", ("def f: f; f", "1"))
        except Interrupted as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    helper.close()
    thread.join(PATIENCE)
    assert [str(error) for error in ended] == ["the engine is closing"]
    with pytest.raises(Interrupted):
        helper("jq", (".", "1"))


def test_an_interpreter_that_can_not_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    helper = Helper({})
    with pytest.raises(Unreachable, match="the process that evaluates expressions can't be started"):
        helper("jq", (".", "1"))
    helper.close()


def test_questions_are_answered_and_their_errors_cross(helper: Helper) -> None:
    asked: list[tuple[str, list[Any]]] = []

    def answer(question: str, arguments: list[Any]) -> Any:
        asked.append((question, arguments))
        return '[true, "v"]'

    place = {"organization_id": "o", "namespace": "n", "flow_id": "f", "flow_execution_id": "e"}
    arguments = ["{{ kv('k') }}", place, "{}", {}, "UTC", '{"$datetime":"2024-02-29T10:00:00+00:00"}']
    assert helper.call("evaluate", arguments, answer) == ['"v"', "v"]
    assert asked == [("engine", ["kv", {"namespace": "n", "key": "k", "inherit": True}])]
