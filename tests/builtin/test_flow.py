from __future__ import annotations

from core.builtin.flow import Sequential
from core.sdk import Policy, Sequence, Step, Work


def step(name: str) -> Step:
    return Step(name, "log.Log", Work())


def test_sequential_runs_its_tasks_in_their_order() -> None:
    task = Sequential(tasks=[step("a"), step("b")])

    assert task.plan() == Sequence((step("a"), step("b")))


def test_sequential_hands_on_its_blocks_for_errors_and_the_end() -> None:
    task = Sequential(tasks=[step("a")], errors=[step("b")], finally_=[step("c")])

    assert task.plan() == Sequence((step("a"),), Policy(errors=(step("b"),), finally_=(step("c"),)))


def test_sequential_without_tasks_is_an_empty_sequence() -> None:
    assert Sequential().plan() == Sequence(())
