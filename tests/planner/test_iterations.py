"""The planner's rules for what the iterations of a loop give, and for the one after which no other begins."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.decisions import Decision, Evaluate, RunTask
from core.model.messages import Evaluated, EvaluationKey, KillRequested, RestartRequested, TaskEnded, TaskKey
from core.model.nodes import Each, IterationOutput
from core.planner import pending
from tests.planner.flows import task, work, world
from tests.planner.simulator import World

LOOP = TaskKey("g")
OUTPUT = (IterationOutput("o", "STRING", "{{ o }}"),)
ASKED = {"o": "{{ o }}"}


def loop(limit: int = 1, values: Any = ("x", "y"), **settings: Any) -> World:
    """A loop of `a` over values, begun: nothing has ended yet, and nothing is played by itself."""
    run = world(task("g", Each(list(values), (work("a"),), limit, as_items=True, **settings)))
    run.start()
    return run


def said(decision: Decision) -> list[str]:
    """What a decision asks for and begins: `outputs 0`, `break 0`, `file`, `a@x`."""
    found = []
    for effect in decision.effects:
        if isinstance(effect, Evaluate):
            what = effect.key.purpose.split()[1]
            found.append(what if effect.rows is not None else f"{what} {effect.key.round}")
        elif isinstance(effect, RunTask):
            found.append("@".join([effect.key.task_id, *effect.key.path]))
    return found


def answer(run: World, what: str, number: int, value: object = None, error: str = "") -> Decision:
    return run.tell(Evaluated(EvaluationKey(LOOP, f"iteration {what} 0", number), value, error))


BOTH = {"outputs": OUTPUT, "break_when": "{{ b }}"}
KEEP_ON = {**BOTH, "transmit_failed": False}


@pytest.mark.parametrize(
    ("settings", "told", "asked"),
    [
        ({}, ["SUCCESS"], ["a@y"]),
        ({"outputs": OUTPUT}, ["SUCCESS"], ["outputs 0"]),
        ({"outputs": OUTPUT}, ["SUCCESS", {"o": 1}], ["a@y"]),
        ({"outputs": OUTPUT}, ["WARNING", {"o": 1}], ["a@y"]),
        ({"outputs": OUTPUT}, ["FAILED"], []),
        ({"break_when": "{{ b }}"}, ["SUCCESS"], ["break 0"]),
        ({"break_when": "{{ b }}"}, ["SUCCESS", "false"], ["a@y"]),
        ({"break_when": "{{ b }}"}, ["SUCCESS", "yes"], []),
        ({"break_when": "{{ b }}"}, ["FAILED"], []),
        (BOTH, ["SUCCESS", {"o": 1}], ["break 0"]),
        (BOTH, ["SUCCESS", {"o": 1}, ""], ["a@y"]),
        (BOTH, ["SUCCESS", ValueError("no")], []),
        (KEEP_ON, ["FAILED"], ["break 0"]),
        (KEEP_ON, ["FAILED", "false"], ["a@y"]),
        (KEEP_ON, ["FAILED", "true"], []),
        (KEEP_ON, ["SUCCESS", ValueError("no")], ["break 0"]),
        (KEEP_ON, ["SUCCESS", {"o": 1}, ValueError("no")], []),
    ],
)
def test_what_follows_a_task_and_each_answer(settings: dict[str, Any], told: list[Any], asked: list[str]) -> None:
    run = loop(**settings)
    decision = run.tell(TaskEnded(TaskKey("a", ("x",)), told[0]))
    for value in told[1:]:
        what = said(decision)[0].split()[0]
        error = str(value) if isinstance(value, ValueError) else ""
        decision = answer(run, what, 0, None if error else value, error)
    assert said(decision) == asked
    assert run.over() == (not asked)


def test_outputs_are_asked_typed_and_the_break_sees_them_and_the_state() -> None:
    run = loop(**KEEP_ON)
    outputs = run.end("a", "WARNING", "x").effects[0]
    assert (outputs.template, outputs.typed, outputs.seen) == (ASKED, True, None)  # type: ignore[union-attr]
    asked = answer(run, "outputs", 0, {"o": 1}).effects[0]
    assert (asked.template, asked.typed) == ("{{ b }}", False)  # type: ignore[union-attr]
    assert asked.seen == {"iteration": {"state": "WARNING", "outputs": {"o": 1}}}  # type: ignore[union-attr]


def test_an_iteration_that_is_asked_holds_its_place_under_the_limit() -> None:
    run = loop(2, "xyz", outputs=OUTPUT)
    assert said(run.end("a", "SUCCESS", "y")) == ["outputs 1"]
    assert said(run.end("a", "SUCCESS", "x")) == ["outputs 0"]
    assert run.state == "RUNNING"
    assert said(answer(run, "outputs", 1, {"o": 1})) == ["a@z"]
    assert said(answer(run, "outputs", 0, {"o": 0})) == []


def test_what_the_loop_gives_is_in_the_order_of_its_values_whatever_ended_first() -> None:
    run = loop(0, outputs=OUTPUT)
    run.end("a", "SUCCESS", "y")
    run.end("a", "WARNING", "x")
    answer(run, "outputs", 1, {"o": "of y"})
    answer(run, "outputs", 0, {"o": "of x"})
    assert run.rows[LOOP].output == {
        "iterationCount": 2, "runningIterations": 0, "terminatedIterations": {"WARNING": 1, "SUCCESS": 1},
        "outputs": [
            {"item": {"value": "x", "iteration": 0, "key": None}, "outputs": {"o": "of x"}},
            {"item": {"value": "y", "iteration": 1, "key": None}, "outputs": {"o": "of y"}},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("transmits", [True, False])
def test_iterations_are_counted_by_how_they_ended(transmits: bool) -> None:
    node = Each(list("uvwxyz"), (work("a"), work("b")), 4, as_items=True, transmit_failed=transmits)
    run = world(task("g", node))
    run.start()
    run.end("a", "WARNING", "u")
    run.end("a", "FAILED", "v")
    if transmits:
        run.end("a", "SUCCESS", "w")  # cut off before its `b`
        run.end("b", "SUCCESS", "u")
        run.end("a", "FAILED", "x")
        counts = {"WARNING": 1, "FAILED": 2, "KILLED": 1}
    else:
        run.play()
        counts = {"WARNING": 1, "FAILED": 1, "SUCCESS": 4}
    assert run.rows[LOOP].output == {
        "iterationCount": sum(counts.values()), "runningIterations": 0, "terminatedIterations": counts,
    }  # fmt: skip


def test_a_loop_without_questions_asks_nothing_and_remembers_nothing_of_good_iterations() -> None:
    run = loop(1, "xyz")
    run.play()
    assert not any(isinstance(effect, Evaluate) for effect in run.effects)
    assert [key.purpose for key in run.record] == ["values"]


def test_after_a_break_open_iterations_end_and_give_what_they_have() -> None:
    run = loop(2, "xyz", **BOTH)
    run.end("a", "SUCCESS", "x")
    answer(run, "outputs", 0, {"o": 0})
    assert said(answer(run, "break", 0, "true")) == []
    assert said(run.end("a", "SUCCESS", "y")) == ["outputs 1"]
    answer(run, "outputs", 1, {"o": 1})
    answer(run, "break", 1, "false")
    assert (run.state, run.ran()) == ("SUCCESS", ["g=SUCCESS", "a@x=SUCCESS", "a@y=SUCCESS"])
    assert [one["outputs"] for one in run.rows[LOOP].output["outputs"]] == [{"o": 0}, {"o": 1}]


@pytest.mark.parametrize(("what", "settings"), [("outputs", BOTH), ("break", {**KEEP_ON, "outputs": ()})])
def test_what_cannot_be_rendered_fails_the_loop_with_the_reason(what: str, settings: dict[str, Any]) -> None:
    run = loop(**settings)
    run.end("a", "SUCCESS", "x")
    answer(run, what, 0, None, "why")
    assert (run.state, run.rows[LOOP].error) == ("FAILED", "why")


def test_the_file_is_written_before_the_loop_ends() -> None:
    run = loop(0, "x", outputs=OUTPUT, stored=True)
    run.end("a", "SUCCESS", "x")
    decision = answer(run, "outputs", 0, {"o": 1})
    assert said(decision) == ["file"]
    (effect,) = decision.effects
    assert effect.rows == ({"item": {"value": "x", "iteration": 0, "key": None}, "outputs": {"o": 1}},)  # type: ignore[union-attr]
    assert (run.state, run.over()) == ("RUNNING", False)
    answer(run, "file", 0, "storage:///f")
    assert run.rows[LOOP].output["uri"] == "storage:///f"
    assert run.state == "SUCCESS"


def test_a_file_that_cannot_be_written_fails_the_loop() -> None:
    run = loop(0, (), outputs=OUTPUT, stored=True)
    answer(run, "file", 0, None, "the disk is full")
    assert (run.state, run.rows[LOOP].error, "uri" in run.rows[LOOP].output) == ("FAILED", "the disk is full", False)


@pytest.mark.parametrize("stored", [None, True, False])
def test_the_lines_of_a_file_are_read_and_what_they_give_is_stored_unless_told_otherwise(stored: bool | None) -> None:
    run = world(task("g", Each("storage:///f", (work("a"),), 0, as_items=True, outputs=OUTPUT, stored=stored)))
    (asked,) = run.start().effects
    assert (asked.template, asked.seen) == ("{{ read(uri) }}", {"uri": "storage:///f"})  # type: ignore[union-attr]
    decision = run.tell(Evaluated(asked.key, "one\ntwo\r\n"))  # type: ignore[union-attr]
    assert said(decision) == ["a@one", "a@two"]
    for number, name in enumerate(("one", "two")):
        run.end("a", "SUCCESS", name)
        decision = answer(run, "outputs", number, {"o": number})
    assert said(decision) == ([] if stored is False else ["file"])


@pytest.mark.parametrize(
    ("answers", "again"),
    [([], ["outputs 0", "outputs 1"]), ([0], ["break 0", "outputs 1"]), ([1], ["outputs 0", "break 1"])],
)
def test_another_owner_asks_what_was_not_said(answers: list[int], again: list[str]) -> None:
    run = loop(0, "xyz", **BOTH)
    run.end("a", "SUCCESS", "x")
    run.end("a", "SUCCESS", "y")
    for number in answers:
        answer(run, "outputs", number, {"o": number})
    found = said(Decision(effects=pending(run.facts())))
    assert [one for one in found if "@" not in one] == again


def test_an_answer_that_comes_twice_counts_once() -> None:
    run = loop(1, "xyz", outputs=OUTPUT)
    run.end("a", "SUCCESS", "x")
    assert said(answer(run, "outputs", 0, {"o": 1})) == ["a@y"]
    again = answer(run, "outputs", 0, {"o": 2})
    assert (again.changes, again.rules) == ((), ("late answer",))


def test_a_kill_does_not_wait_for_answers() -> None:
    run = loop(1, **BOTH)
    run.end("a", "SUCCESS", "x")
    run.tell(KillRequested())
    assert (run.state, run.ran()) == ("KILLED", ["g=KILLED", "a@x=SUCCESS"])


def test_a_restart_keeps_what_was_said_and_that_the_loop_broke() -> None:
    run = loop(2, "xyz", **BOTH)
    run.end("a", "SUCCESS", "y")
    answer(run, "outputs", 1, {"o": "of y"})
    answer(run, "break", 1, "true")
    run.end("a", "FAILED", "x")
    assert run.state == "FAILED"
    assert said(run.tell(RestartRequested(), rows=run.past())) == ["a@x"]
    assert said(run.end("a", "SUCCESS", "x")) == ["outputs 0"]
    run.tell(Evaluated(EvaluationKey(LOOP, "iteration outputs 1", 0), {"o": "of x"}))
    run.tell(Evaluated(EvaluationKey(LOOP, "iteration break 1", 0), "false"))
    assert (run.state, run.ran()) == ("SUCCESS", ["g=SUCCESS", "a@x=SUCCESS", "a@y=SUCCESS"])
    assert [one["outputs"]["o"] for one in run.rows[LOOP].output["outputs"]] == ["of x", "of y"]


def test_a_restart_asks_kept_iterations_what_they_could_not_say() -> None:
    run = loop(1, "xy", outputs=OUTPUT)
    run.end("a", "SUCCESS", "x")
    answer(run, "outputs", 0, None, "no")
    assert said(run.tell(RestartRequested(), rows=run.past())) == ["outputs 0"]
    assert said(run.tell(Evaluated(EvaluationKey(LOOP, "iteration outputs 1", 0), {"o": 1}))) == ["a@y"]
