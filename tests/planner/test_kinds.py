"""The planner's rules for every shape of node, as runs in memory: which tasks ran, in which order, how they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.model.decisions import RunTask
from core.model.messages import (
    Evaluated,
    EvaluationKey,
    KillRequested,
    TaskEnded,
    TaskKey,
)  # fmt: skip
from core.model.nodes import (
    Call,
    Choice,
    Dag,
    Each,
    Group,
    Node,
    Parallel,
    Policy,
    Repeat,
    Sequence,
    Step,
    Wait,
    Work,
)  # fmt: skip
from core.planner import decide
from core.planner.loops import loop_values
from tests.planner.flows import played, task, work, world

# -- errors, finally, allow


@pytest.mark.parametrize("shape", [
    lambda children, policy: Sequence(children, policy),
    lambda children, policy: Parallel(children, 1, policy),
    lambda children, policy: Dag(children, {"b": ("a",)}, 0, policy),
    lambda children, policy: Choice("x", {"x": children}, policy=policy),
    lambda children, policy: Wait("PT1S", children=children, policy=policy),
    lambda children, policy: Repeat("true", children, policy=policy),
])  # fmt: skip
def test_errors_then_finally_follow_a_failure_in_every_group(shape: Callable[[Any, Policy], Node]) -> None:
    policy = Policy((work("e1"), work("e2")), (work("f1"), work("f2")))
    run = played(task("g", shape((work("a"), work("b")), policy)), work("z"), fails="a e1 f1")
    assert run.ran() == ["g=FAILED", "a=FAILED", "e1=FAILED", "e2=SUCCESS", "f1=FAILED", "f2=SUCCESS"]
    assert run.state == "FAILED"


def test_after_success_only_finally_runs_and_its_failure_changes_nothing() -> None:
    run = played(task("g", Sequence((work("a"),), Policy((work("e"),), (work("f"),)))), work("z"), fails="f")
    assert run.ran() == ["g=SUCCESS", "a=SUCCESS", "f=FAILED", "z=SUCCESS"]
    assert run.state == "SUCCESS"


def test_the_flows_own_errors_and_finally_come_after_those_inside() -> None:
    inner = Policy((work("e"),), (work("f"),))
    outer = Policy((work("E"),), (work("F"),))
    run = played(task("g", Sequence((work("a"),), inner)), fails="a", policy=outer)
    assert run.ran() == ["g=FAILED", "a=FAILED", "e=SUCCESS", "f=SUCCESS", "E=SUCCESS", "F=SUCCESS"]
    assert run.state == "FAILED"


def test_errors_wait_for_the_siblings_that_run() -> None:
    run = world(task("g", Parallel((work("a"), work("b"), work("c")), 2, Policy((work("e"),)))))
    run.start()
    run.end("a", "FAILED")
    assert "e=RUNNING" not in run.ran()
    run.end("b")
    assert run.ran() == ["g=RUNNING", "a=FAILED", "b=SUCCESS", "e=RUNNING"]


@pytest.mark.parametrize(("settings", "ends"), [
    ({}, "WARNING"), ({"allow_warning": True}, "WARNING"), ({"allow_warning": True, "allow_failure": True}, "SUCCESS"),
])  # fmt: skip
def test_a_group_that_turns_failure_into_a_warning(settings: dict[str, bool], ends: str) -> None:
    policy = Policy((work("e"),), failure_is_warning=True)
    run = played(task("g", Sequence((work("a"), work("b")), policy), **settings), work("z"), fails="a")
    assert run.ran() == [f"g={ends}", "a=FAILED", "e=SUCCESS", "z=SUCCESS"]


def test_blocks_of_disabled_tasks_are_absent() -> None:
    off = work("e", disabled=True)
    run = played(task("g", Sequence((work("a"),), Policy((off,), (work("f", disabled=True),)))), fails="a")
    assert run.ran() == ["g=FAILED", "a=FAILED"]


# -- afterExecution


def test_after_execution_runs_when_the_state_is_final_and_changes_it_not() -> None:
    run = world(work("a"), fails="x", after_execution=(work("x"), work("y")))
    run.start()
    decision = run.end("a")
    assert (run.state, run.counters.phase, run.over()) == ("SUCCESS", "after", False)
    assert "afterExecution" in decision.rules
    run.play()
    assert (run.state, run.counters.phase, run.over()) == ("SUCCESS", "over", True)
    assert run.ran() == ["a=SUCCESS", "x=FAILED", "y=SUCCESS"]


# -- Parallel, Dag


def test_parallel_opens_as_many_as_its_limit_and_one_more_for_each_that_ends() -> None:
    run = world(task("g", Parallel(tuple(work(name) for name in "abcd"), 2)))
    run.start()
    assert run.ran() == ["g=RUNNING", "a=RUNNING", "b=RUNNING"]
    run.end("b")
    assert run.ran()[-1] == "c=RUNNING"
    assert run.play().state == "SUCCESS"
    assert run.peak[TaskKey("g")] == 2


def test_unlimited_opens_a_window() -> None:
    run = world(task("g", Parallel(tuple(work(f"t{n}") for n in range(1200)))))
    assert len(run.start().effects) == 1000


def test_a_failure_in_parallel_starts_nothing_new() -> None:
    run = world(task("g", Parallel(tuple(work(name) for name in "abcd"), 2)))
    run.start()
    run.end("a", "FAILED")
    run.end("b")
    assert run.ran() == ["g=FAILED", "a=FAILED", "b=SUCCESS"]


def test_a_dag_opens_what_waits_for_nothing_more() -> None:
    after = {"c": ("a", "b"), "d": ("off",), "e": ("c",)}
    children = (work("e"), work("a"), work("b", run_if="false"), work("c"), work("d"), work("off", disabled=True))
    run = world(task("g", Dag(children, after)))
    run.start()
    assert run.ran() == ["g=RUNNING", "a=RUNNING", "b=SKIPPED", "d=RUNNING"]
    run.end("a")
    assert run.ran()[-1] == "c=RUNNING"
    run.end("c")
    assert run.ran()[-1] == "e=RUNNING"
    assert run.play().state == "SUCCESS"


class Watched(tuple[Step, ...]):
    """Children, and which of them were looked at."""

    seen: list[str]

    def __iter__(self) -> Iterator[Step]:
        for step in super().__iter__():
            self.seen.append(step.id)
            yield step

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        self.seen.append(found.id)
        return found


def test_the_end_of_a_child_of_a_dag_looks_only_at_what_waits_for_it() -> None:
    waits = {f"w{n}": ("a",) for n in range(50)} | {f"x{n}": ("b",) for n in range(50)} | {"y": ("a", "b")}
    children = Watched(work(name) for name in ("a", "b", *waits))
    children.seen = []
    run = world(task("g", Dag(children, waits)))
    run.start()
    facts, ended = run.facts(), TaskEnded(TaskKey("b"), "SUCCESS")
    decide(facts, ended)  # what waits for what is found out, for all decisions that follow

    children.seen.clear()
    decision = decide(facts, ended)

    assert children.seen == [f"x{n}" for n in range(50)]
    assert [one.key.task_id for one in decision.effects if isinstance(one, RunTask)] == children.seen


def test_a_dag_opens_what_only_the_limit_has_held_back() -> None:
    run = world(task("g", Dag(tuple(work(name) for name in "abcde"), {"e": ("a",)}, 2)))
    run.start()
    for ended, opened in (("b", "c"), ("a", "d"), ("d", "e")):
        run.end(ended)
        assert run.ran()[-1] == f"{opened}=RUNNING"
    assert run.play().state == "SUCCESS"
    assert run.peak[TaskKey("g")] == 2


def test_what_ends_at_once_in_a_dag_frees_what_is_written_before_it() -> None:
    children = (work("d"), work("c", run_if="false"), work("b", run_if="false"), work("a"), work("x"))
    run = world(task("g", Dag(children, {"b": ("a",), "c": ("b",), "d": ("c",)})))
    run.start()
    run.end("a")
    assert run.ran() == ["g=RUNNING", "a=SUCCESS", "x=RUNNING", "b=SKIPPED", "c=SKIPPED", "d=RUNNING"]


# -- Choice


def test_an_if_follows_the_truth_and_says_so() -> None:
    node = Choice("{{ x }}", {"true": (work("yes"),), "false": ()}, by_truth=True)
    run = played(task("g", node), answers={"{{ x }}": "0"})
    assert run.ran() == ["g=SUCCESS"]
    assert run.rows[TaskKey("g")].output == {"evaluationResult": False}
    run = played(task("g", node), answers={"{{ x }}": "anything"})
    assert run.ran() == ["g=SUCCESS", "yes=SUCCESS"]


@pytest.mark.parametrize(("value", "ran", "output"), [
    ("A", ["g=SUCCESS", "a=SUCCESS"], {"value": "A", "defaults": False}),
    ("C", ["g=SUCCESS", "d=SUCCESS"], {"value": "C", "defaults": True}),
])  # fmt: skip
def test_a_switch_takes_the_case_of_that_text_or_the_defaults(value: str, ran: list[str], output: Any) -> None:
    node = Choice("{{ x }}", {"A": (work("a"),), "B": (work("b"),)}, (work("d"),))
    run = played(task("g", node), answers={"{{ x }}": value})
    assert run.ran() == ran
    assert run.rows[TaskKey("g")].output == output


def test_a_switch_without_a_case_and_defaults_fails() -> None:
    run = played(task("g", Choice("nothing", {"A": (work("a"),)})))
    assert run.ran() == ["g=FAILED"]
    row = run.rows[TaskKey("g")]
    assert (row.error, row.warning) == (
        "no case is `nothing`, and there are no defaults", "No task found on flow 'tests.flow', task 'g'",
    )  # fmt: skip


def test_a_choice_that_cannot_be_rendered_fails() -> None:
    run = world(task("g", Choice("{{ x }}", {})))
    run.start()
    run.tell(Evaluated(EvaluationKey(TaskKey("g"), "branch"), None, "no x"))
    assert run.ran() == ["g=FAILED"]
    assert run.rows[TaskKey("g")].error == "no x"


# -- Each


def test_elements_one_after_another_each_with_all_its_children() -> None:
    run = played(task("g", Each(["x", "y", "x"], (work("a"), work("b")))))
    assert run.ran() == ["g=SUCCESS", "a@x=SUCCESS", "b@x=SUCCESS", "a@y=SUCCESS", "b@y=SUCCESS"]
    assert run.peak[TaskKey("g")] == 1


def test_elements_at_once_up_to_the_limit_in_the_order_of_the_list() -> None:
    run = world(task("g", Each("{{ v }}", (work("a"), work("b")), 2)), answers={"{{ v }}": '[1, {"k": true}, "z"]'})
    run.start()
    run.tell(run.todo.pop())
    assert run.ran() == ["g=RUNNING", "a@1=RUNNING", 'a@{"k":true}=RUNNING']
    assert [task.iteration for task in run.tasks.values()] == [None, 0, 1]
    assert run.play().state == "SUCCESS"
    assert len(run.rows) == 7
    assert run.peak[TaskKey("g")] == 2


def test_side_by_side_every_pair_counts() -> None:
    run = world(task("g", Each(["x", "y"], (work("a"), work("b")), 3, side_by_side=True)))
    run.start()
    assert run.ran() == ["g=RUNNING", "a@x=RUNNING", "b@x=RUNNING", "a@y=RUNNING"]
    assert len(run.play().rows) == 5


def test_a_failed_element_stops_the_loop_and_what_the_others_would_still_run() -> None:
    run = world(task("g", Each(["x", "y", "z"], (work("a"), work("b")), 2)))
    run.start()
    run.end("a", "FAILED", "x")
    run.end("a", "SUCCESS", "y")
    assert run.ran() == ["g=FAILED", "a@x=FAILED", "a@y=SUCCESS"]


def test_a_written_json_list_needs_no_evaluation() -> None:
    assert played(task("g", Each('["x", 2]', (work("a"),)))).ran() == ["g=SUCCESS", "a@x=SUCCESS", "a@2=SUCCESS"]


def test_a_loop_over_nothing_succeeds() -> None:
    assert played(task("g", Each([], (work("a"),)))).ran() == ["g=SUCCESS"]
    assert played(task("g", Each(["x"], (work("a", disabled=True),)))).ran() == ["g=SUCCESS"]


@pytest.mark.parametrize(("given", "values", "error"), [
    ('["a", 1, 1.5, true, {"b": [1]}, "a"]', ("a", "1", "1.5", "true", '{"b":[1]}'), ""),
    (["a", 1, {"b": 2}, "a"], ("a", "1", '{"b":2}'), ""),
    ("[]", (), ""),
    ("no list", (), "the values are not a list: no list"),
    ('{"a": 1}', (), 'the values are not a list: {"a": 1}'),
    (None, (), "the values are not a list: None"),
    ("[1, null]", (), "Found '1' null values on Each, with values=[1, null]"),
    (
        '[1, null, {"key": "a", "more": [true, null]}, "b"]', (),
        "Found '1' null values on Each, with values=[1, null, {key=a, more=[true, null]}, b]",
    ),
    ([1.5], (), "Unknown value element type: float"),
    ([True], (), "Unknown value element type: bool"),
    ([["a"]], (), "Unknown value element type: list"),
])  # fmt: skip
def test_what_can_be_looped_over(given: Any, values: tuple[str, ...], error: str) -> None:
    assert loop_values(given) == (values, error)


def test_loops_in_loops_carry_the_values_of_both() -> None:
    run = played(task("g", Each(["x", "y"], (task("h", Each(["1", "2"], (work("a"),), 0)),), 0)))
    assert sorted(run.ran())[:4] == ["a@x/1=SUCCESS", "a@x/2=SUCCESS", "a@y/1=SUCCESS", "a@y/2=SUCCESS"]


# -- runIf on every kind


@pytest.mark.parametrize("node", [
    Work(), Sequence((work("a"),)), Parallel((work("a"),)), Dag((work("a"),), {}), Choice("{{ x }}", {}),
    Each(["x"], (work("a"),)), Repeat("true", (work("a"),)), Wait(), Call({}), Group((work("a"),)),
])  # fmt: skip
@pytest.mark.parametrize("condition", ["false", "{{ no }}"])
def test_a_false_condition_skips_every_kind(node: Node, condition: str) -> None:
    run = played(task("g", node, run_if=condition), answers={"{{ no }}": ""})
    assert run.ran() == ["g=SKIPPED"]
    assert run.state == "SUCCESS"


@pytest.mark.parametrize("crashes", [False, True])
def test_a_listener_is_there_only_when_its_conditions_are_met(crashes: bool) -> None:
    unmet = work("x", run_if="{{ no }}", listens=True)
    met = task("y", Sequence((work("in"),)), run_if="{{ yes }}", listens=True)
    after = (unmet, met, work("z", run_if="{{ no }}"))
    run = world(work("a"), after_execution=after, answers={"{{ no }}": "false", "{{ yes }}": "true"})
    run.start()
    run.end("a")
    assert (run.state, run.ran(), run.over()) == ("SUCCESS", ["a=SUCCESS"], False)
    if crashes:
        run.crash()
    run.tell(run.todo.pop(0))
    if crashes:
        run.crash()
    assert run.play().ran() == ["a=SUCCESS", "y=SUCCESS", "in=SUCCESS", "z=SKIPPED"]
    assert run.over()


def test_a_listener_that_can_not_be_asked_has_failed_and_one_of_a_killed_execution_is_not_there() -> None:
    after = (work("x", run_if="{{ no }}", listens=True), work("y"))
    run = world(work("a"), after_execution=after)
    run.answer = lambda effect: Evaluated(effect.key, None, "no such variable")
    run.start()
    run.end("a")
    assert run.play().ran() == ["a=SUCCESS", "x=FAILED", "y=SUCCESS"]
    assert (run.state, run.rows[TaskKey("x")].error) == ("SUCCESS", "no such variable")
    run = world(work("a"), after_execution=after)
    run.start()
    run.end("a")
    run.tell(KillRequested())
    assert (run.over(), run.ran(), run.state) == (True, ["a=SUCCESS"], "SUCCESS")


@pytest.mark.parametrize("limit", [1, 2, 0])
def test_what_fails_in_a_loop_that_does_not_transmit_it_ends_its_own_element_only(limit: int) -> None:
    loop = Each(["x", "y", "z"], (work("a"), work("b", allow_failure=True), work("c")), limit,
                policy=Policy((work("e"),)), as_items=True, transmit_failed=False)  # fmt: skip
    run = world(task("g", loop), work("next"))
    run.outcome = lambda key: "FAILED" if key in (TaskKey("a", ("x",)), TaskKey("b", ("y",))) else "SUCCESS"
    run.start()
    assert sorted(run.play().ran()) == sorted([
        "g=SUCCESS", "a@x=FAILED", "a@y=SUCCESS", "b@y=WARNING", "c@y=SUCCESS", "a@z=SUCCESS", "b@z=SUCCESS",
        "c@z=SUCCESS", "next=SUCCESS",
    ])  # fmt: skip
    assert run.state == "SUCCESS"


def test_a_kill_ends_a_loop_that_does_not_transmit_failures_too() -> None:
    run = world(task("g", Each(["x", "y"], (work("a"),), 1, as_items=True, transmit_failed=False)))
    run.start()
    run.tell(KillRequested())
    run.end("a", "KILLED", "x")
    assert (run.state, run.ran()) == ("KILLED", ["g=KILLED", "a@x=KILLED"])
