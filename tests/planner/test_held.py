"""The planner's rules for attempts that give their thread back, for promises, and for loops over items."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.data import evolve
from core.model.decisions import Counters, EndTask, Evaluate, HoldTask, MoveExecution, RunTask, WakeAt
from core.model.flow import Flow, Sla
from core.model.messages import (
    ROOT,
    Due,
    EndRequested,
    Evaluated,
    EvaluationKey,
    KillRequested,
    Message,
    PauseRequested,
    TaskEnded,
    TaskKey,
    TaskWaits,
)  # fmt: skip
from core.model.nodes import Sequence, Step, Work
from core.planner import Facts, TaskFacts, decide, pending
from core.planner.loops import loop_items

A = TaskKey("a")
FLOW = Flow("f", "n", Sequence((Step("a", "debug.Return", Work()),)))
RUNS = TaskFacts(ROOT, "RUNNING", None, True, 1)
WAITS = evolve(RUNS, running=False, due_at=50)
PROMISED = Flow("f", "n", FLOW.root, sla=(Sla("s", "FAIL", assertion="{{ x }}"),))


def facts(task: TaskFacts | None = RUNS, flow: Flow = FLOW, now: int = 10, **more: Any) -> Facts:
    steps = {step.id: step for step in flow.steps()}
    known: dict[str, Any] = {"state": "RUNNING", "counters": Counters(1, 1), **more}
    return Facts(flow, steps, tasks={} if task is None else {A: task}, now=now, **known)


WAITING: dict[str, tuple[Facts, Message, tuple[Any, ...], tuple[Any, ...], str]] = {
    "it waits": (facts(), TaskWaits(A, 50, "s"), (HoldTask(A, 50, "s"),), (WakeAt(A, 50),), "wait"),
    "it is called again": (facts(WAITS, now=50), Due(A), (HoldTask(A, 0),), (RunTask(A),), "its wait is over"),
    "it is early": (facts(WAITS), Due(A), (), (WakeAt(A, 50),), "early timer"),
    "it has ended meanwhile": (facts(None), TaskWaits(A, 50, "s"), (), (), "late wait"),
    "it waits already": (facts(WAITS), TaskWaits(A, 60, "s"), (), (), "late wait"),
}


@pytest.mark.parametrize(("given", "message", "changes", "effects", "rule"), WAITING.values(), ids=list(WAITING))
def test_attempts_that_give_their_thread_back(
    given: Facts, message: Message, changes: tuple[Any, ...], effects: tuple[Any, ...], rule: str
) -> None:
    decision = decide(given, message)

    assert (decision.changes[: len(changes)], decision.effects) == (changes, effects)
    assert all(isinstance(change, MoveExecution) for change in decision.changes[len(changes) :])
    assert decision.rules[0] == rule


def test_a_kill_ends_what_waits_at_once() -> None:
    decision = decide(facts(WAITS), KillRequested())

    assert EndTask(A, "KILLED") in decision.changes
    assert decision.effects == ()


def test_what_begins_to_wait_while_it_is_killed_is_over() -> None:
    decision = decide(facts(evolve(RUNS, state="KILLING"), state="KILLING"), TaskWaits(A, 50, "s"))

    assert EndTask(A, "KILLED") in decision.changes
    assert not any(isinstance(change, HoldTask) for change in decision.changes)


def test_while_somebody_pauses_the_execution_nothing_is_called_again() -> None:
    held = facts(WAITS, now=50, state="PAUSED", counters=Counters(1, 1, note="held"))

    assert decide(held, Due(A)).rules[0] == "due while paused"
    assert decide(facts(WAITS), PauseRequested()).rules[0] == "paused"


def test_a_new_owner_waits_for_the_same_moment() -> None:
    assert pending(facts(WAITS)) == (WakeAt(A, 50),)


# -- promises

ASKED = EvaluationKey(ROOT, "promises", 0)
LOOKED = facts(None, PROMISED, counters=Counters(1, 0, phase="promises"))


def test_before_the_end_the_promises_are_looked_at_once_more() -> None:
    decision = decide(facts(RUNS, PROMISED), TaskEnded(A, "SUCCESS"))

    assert Evaluate(ASKED, None) in decision.effects
    assert decision.changes[-1] == MoveExecution("RUNNING", Counters(1, 0, phase="promises"))


def test_when_they_are_kept_the_execution_ends() -> None:
    decision = decide(LOOKED, Evaluated(ASKED, True))

    assert decision.rules == ("promises kept", "finish")
    assert decision.changes[-1] == MoveExecution("SUCCESS", Counters(1, 0, phase="kept"), entered=True)


def test_a_broken_one_ends_it_otherwise() -> None:
    cancelled = decide(LOOKED, EndRequested("CANCELLED", "why", stop=True))

    assert isinstance(cancelled.changes[-1], MoveExecution)
    assert (cancelled.changes[-1].state, cancelled.changes[-1].error) == ("CANCELLED", "why")


def test_a_new_owner_looks_again_and_a_late_answer_says_nothing() -> None:
    assert pending(LOOKED) == (Evaluate(ASKED, None),)
    assert decide(facts(RUNS, PROMISED), Evaluated(ASKED, True)).changes == ()


# -- items


@pytest.mark.parametrize(
    ("given", "names", "items"),
    [
        (["a", "b"], ("a", "b"), None),
        ('["a", 1, {"k": null}]', ("a", "1", '{"k":null}'), None),
        (["a", "a", "a"], ("a", "a #1", "a #2"), [[None, "a"], [None, "a"], [None, "a"]]),
        (["a", "a", "a #1"], ("a", "a #1 #1", "a #1"), [[None, "a"], [None, "a"], [None, "a #1"]]),
        ({"k": 1, "l": [2]}, ("k", "l"), [["k", "1"], ["l", "[2]"]]),
        ('{"k": "v"}', ("k",), [["k", "v"]]),
        ("[]", (), None),
    ],
)
def test_each_item_has_a_name_of_its_own(given: Any, names: tuple[str, ...], items: Any) -> None:
    assert loop_items(given) == (names, items, "")


def test_what_has_no_items_is_said() -> None:
    assert loop_items("text") == ((), None, "the values are neither a list nor a map: text")
    assert loop_items(5)[2] == "the values are neither a list nor a map: 5"
