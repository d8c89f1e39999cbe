"""What holds for every flow of nested sequences, whatever its tasks do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.decisions import Evaluate, RunTask
from core.model.messages import Evaluated, Started, TaskEnded, TaskKey
from core.model.nodes import Each, Sequence, Step, Work
from core.planner import decide
from tests.planner.flows import task, work, world

Play = Callable[..., Any]
SEVERITY = {"SKIPPED": 0, "SUCCESS": 0, "WARNING": 1, "FAILED": 2}
CONDITIONS = (None, None, None, "true", "false", "{{ yes }}", "{{ no }}", "{{ wrong }}")


def shapes(depth: int) -> st.SearchStrategy[Any]:
    """A task as (children or None, condition, disabled, allows failure, allows warning)."""
    children = st.none() if depth == 0 else st.none() | st.lists(shapes(depth - 1), max_size=4)
    rarely = st.sampled_from([False, False, False, True])
    return st.tuples(children, st.sampled_from(CONDITIONS), rarely, rarely, rarely)


def steps(drawn: list[Any], numbers: Iterator[int]) -> tuple[Step, ...]:
    made = []
    for children, condition, disabled, failure, warning in drawn:
        name = f"t{next(numbers)}"
        node = Work() if children is None else Sequence(steps(children, numbers))
        made.append(Step(name, "any", node, run_if=condition, disabled=disabled, allow_failure=failure,
                         allow_warning=warning))  # fmt: skip
    return tuple(made)


def expected(step: Step, outcomes: dict[str, str]) -> str | None:
    """How a task must end, said a second time and plainly; None when it must not even be opened."""
    if step.disabled:
        return None
    if step.run_if in ("false", "{{ no }}"):
        return "SKIPPED"
    if step.run_if == "{{ wrong }}":
        state = "FAILED"
    elif isinstance(step.node, Work):
        state = outcomes[step.id]
    else:
        assert isinstance(step.node, Sequence)
        state = worst_of(step.node.children, outcomes)
    if state == "FAILED" and step.allow_failure:
        state = "WARNING"
    return "SUCCESS" if state == "WARNING" and step.allow_warning else state


def worst_of(children: tuple[Step, ...], outcomes: dict[str, str]) -> str:
    worst = "SUCCESS"
    for child in children:
        state = expected(child, outcomes) or "SUCCESS"
        worst = state if SEVERITY[state] > SEVERITY[worst] else worst
        if worst == "FAILED":
            break
    return worst


def answer(effect: Evaluate) -> Evaluated:
    wrong = effect.template == "{{ wrong }}"
    return Evaluated(effect.key, {"{{ yes }}": "true"}.get(str(effect.template), "false"), "wrong" if wrong else "")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drawn=st.lists(shapes(3), max_size=5), data=st.data())
def test_every_task_that_opens_ends_and_the_flow_ends_as_its_worst(play: Play, drawn: list[Any], data: Any) -> None:
    tasks = steps(drawn, iter(range(sys.maxsize)))
    execution = play(*tasks)
    outcomes = {name: data.draw(st.sampled_from(["SUCCESS", "SUCCESS", "WARNING", "FAILED"]), name)
                for name, step in execution.steps.items() if isinstance(step.node, Work)}  # fmt: skip
    execution.play(lambda name: (outcomes[name], ""), answer)
    assert execution.tasks == {}
    assert len(execution.opened) == len(set(execution.opened)) == len(execution.ended)
    assert execution.state == worst_of(tasks, outcomes)
    assert {name: state for name, state, _ in execution.ended} == {
        key.task_id: expected(execution.steps[key.task_id], outcomes) for key in execution.opened
    }


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drawn=st.lists(shapes(2), max_size=4))
def test_deciding_twice_gives_the_same_decision(play: Play, drawn: list[Any]) -> None:
    execution = play(*steps(drawn, iter(range(sys.maxsize))))
    waiting: list[Any] = [Started()]
    while waiting:
        message = waiting.pop()
        facts = execution.facts()
        assert decide(facts, message) == decide(facts, message)
        for effect in execution.tell(message).effects:
            waiting.append(TaskEnded(effect.key, "SUCCESS") if isinstance(effect, RunTask) else answer(effect))


def lines_of(call: Callable[[], object]) -> int:
    """How many lines of Python a call runs."""
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines


def test_a_decision_costs_what_changed_and_not_what_ran(play: Play) -> None:
    """Lines of the planner that run for one result, in a sequence of ten and of a thousand tasks."""

    def lines_of_one_decision(size: int) -> int:
        execution = play(*(Step(f"t{number}", "any", Work()) for number in range(size)))
        execution.start()
        for number in range(size // 2):
            execution.end(f"t{number}")
        facts, message = execution.facts(), TaskEnded(TaskKey(f"t{size // 2}"), "SUCCESS")
        return lines_of(lambda: decide(facts, message))

    assert lines_of_one_decision(1000) == lines_of_one_decision(10)


@pytest.mark.parametrize("limit", [1, 16])
def test_a_decision_of_a_loop_costs_what_changed_and_not_what_ran(limit: int) -> None:
    def lines_of_one_decision(size: int) -> int:
        run = world(task("g", Each([str(number) for number in range(size)], (work("a"), work("b")), limit)))
        run.check = False
        run.start()
        for number in range(size // 2):
            run.end("a", "SUCCESS", str(number))
            run.end("b", "SUCCESS", str(number))
        run.end("a", "SUCCESS", str(size // 2))
        facts, message = run.facts(), TaskEnded(TaskKey("b", (str(size // 2),)), "SUCCESS")
        return lines_of(lambda: decide(facts, message))

    assert lines_of_one_decision(400) == lines_of_one_decision(40)


def test_a_decision_holds_only_what_changed(play: Play) -> None:
    execution = play(*(Step(f"t{number}", "any", Work()) for number in range(1000)))
    execution.start()
    sizes = {len(execution.end(f"t{number}").changes) for number in range(999)}
    assert sizes == {3}


def test_a_thousand_skipped_tasks_are_one_decision(play: Play) -> None:
    execution = play(*(Step(f"t{number}", "any", Work(), run_if="false") for number in range(1000)))
    execution.start()
    assert (execution.state, len(execution.ended)) == ("SUCCESS", 1000)
