"""The planner's rules for what takes time: loops that wait, pauses, child executions, and groups that are one job."""

from __future__ import annotations

import pytest

from core.model.decisions import Evaluate, StartChild, WakeAt
from core.model.messages import (
    ChildEnded,
    ChildStarted,
    Due,
    Evaluated,
    EvaluationKey,
    MemberStarted,
    ResumeRequested,
    TaskKey,
)  # fmt: skip
from core.model.nodes import (
    Call,
    Group,
    Parallel,
    Policy,
    Repeat,
    Wait,
)  # fmt: skip
from tests.planner.flows import played, task, work, world

SECOND = 1_000_000


# -- Repeat


def test_rounds_repeat_until_the_condition_holds_each_at_a_turn_of_its_own() -> None:
    truths = iter(["false", "", "yes"])
    run = world(task("g", Repeat("{{ ok }}", (work("a"),), "PT5S")))
    run.answer = lambda effect: Evaluated(effect.key, next(truths))
    run.start()
    begun = run.now
    run.play()
    assert run.ran() == ["g=SUCCESS", "a=SUCCESS", "a#1=SUCCESS", "a#2=SUCCESS"]
    assert run.rows[TaskKey("g")].output == {"iterationCount": 3}
    assert run.now - begun >= 10 * SECOND
    assert run.states == ["RUNNING", "PAUSED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]


REACHED = "Max iterations reached"


@pytest.mark.parametrize(("fails", "state", "error", "warning"), [
    (False, "SUCCESS", "", REACHED), (True, "FAILED", REACHED, ""), ("{{ f }}", "FAILED", REACHED, ""),
])  # fmt: skip
def test_a_loop_ends_at_its_limit_and_says_so(fails: bool | str, state: str, error: str, warning: str) -> None:
    run = world(task("g", Repeat("false", (work("a"),), "PT0.2S", "{{ n }}", None, fails)))
    run.answer = lambda effect: Evaluated(
        effect.key, {"interval": "PT1S", "max_turns": 3, "failure_on_max": fails is True or fails == "{{ f }}"}
    )
    run.start()
    run.play()
    assert run.ran() == [f"g={state}", "a=SUCCESS", "a#1=SUCCESS", "a#2=SUCCESS"]
    assert (run.rows[TaskKey("g")].error, run.rows[TaskKey("g")].warning) == (error, warning)


def test_a_loop_ends_after_its_longest_time() -> None:
    run = played(task("g", Repeat("false", (work("a"),), "PT2S", None, "PT3S", True)))
    assert run.ran() == ["g=FAILED", "a=SUCCESS", "a#1=SUCCESS", "a#2=SUCCESS"]
    assert run.rows[TaskKey("g")].error == "Max duration reached"


def test_a_failure_ends_the_loop() -> None:
    assert played(task("g", Repeat("false", (work("a"),))), fails="a").ran() == ["g=FAILED", "a=FAILED"]


# -- Wait


def test_a_pause_waits_for_a_person_and_gives_what_they_say() -> None:
    run = world(task("p", Wait(children=(work("a"),))), work("b"))
    run.start()
    assert (run.state, run.ran()) == ("PAUSED", ["p=PAUSED"])
    run.tell(ResumeRequested({"asked": "yes"}))
    output = run.rows[TaskKey("p")].output
    assert output["onResume"] == {"asked": "yes"}
    assert (output["resumed"]["to"], output["resumed"]["by"]) == ("RUNNING", None)
    assert run.play().ran() == ["p=SUCCESS", "a=SUCCESS", "b=SUCCESS"]
    assert run.rows[TaskKey("p")].history == ["CREATED", "RUNNING", "PAUSED", "RUNNING", "SUCCESS"]
    assert run.states == ["RUNNING", "PAUSED", "RESTARTED", "RUNNING", "SUCCESS"]


def test_an_execution_that_is_resumed_runs_even_when_nothing_is_left_to_run() -> None:
    run = world(task("p", Wait()))
    run.start()
    run.tell(ResumeRequested())
    assert run.states == ["RUNNING", "PAUSED", "RESTARTED", "RUNNING", "SUCCESS"]


@pytest.mark.parametrize(("node", "ends", "state"), [
    (Wait("PT1S"), "SUCCESS", "SUCCESS"),
    (Wait("PT1S", behavior="WARN"), "WARNING", "WARNING"),
    (Wait("PT1S", behavior="FAIL"), "FAILED", "FAILED"),
    (Wait("PT1S", behavior="CANCEL"), "CANCELLED", "CANCELLED"),
    (Wait(timeout="PT1S"), "FAILED", "FAILED"),
    (Wait("PT2S", "PT1S"), "FAILED", "FAILED"),
    (Wait("{{ d }}", behavior="{{ b }}"), "WARNING", "WARNING"),
    (Wait("soon"), "FAILED", "FAILED"),
    (Wait("PT1S", behavior="DANCE"), "FAILED", "FAILED"),
])  # fmt: skip
def test_how_a_pause_ends_by_itself(node: Wait, ends: str, state: str) -> None:
    run = played(task("p", node), work("b"), answers={"*": {"duration": "PT1S", "behavior": "warn"}})
    assert run.ran()[0] == f"p={ends}"
    assert run.state == state
    assert ("b=SUCCESS" in run.ran()) == (state in ("SUCCESS", "WARNING"))


@pytest.mark.parametrize(("node", "history"), [
    (Wait("PT1S", children=(work("a"),)), ["PAUSED", "RUNNING", "SUCCESS"]),
    (Wait("PT1S", behavior="WARN"), ["PAUSED", "RUNNING", "WARNING"]),
    (Wait("PT1S", behavior="FAIL"), ["PAUSED", "FAILED"]),
    (Wait(timeout="PT1S", children=(work("a"),)), ["PAUSED", "FAILED"]),
    (Wait(timeout="PT1S", policy=Policy((work("e"),))), ["PAUSED", "RUNNING", "FAILED"]),
    (Wait(timeout="PT1S", policy=Policy((), (work("f"),))), ["PAUSED", "RUNNING", "FAILED"]),
])  # fmt: skip
def test_a_pause_runs_again_where_something_of_it_still_runs_or_it_ended_well(node: Wait, history: list[str]) -> None:
    run = played(task("p", node), work("b"))
    assert run.rows[TaskKey("p")].history == ["CREATED", "RUNNING", *history]


@pytest.mark.parametrize(("node", "states"), [
    (Wait("PT1S"), ["PAUSED", "RUNNING", "SUCCESS"]),
    (Wait(timeout="PT1S"), ["PAUSED", "RUNNING", "FAILED"]),
    (Wait("PT1S", behavior="CANCEL"), ["PAUSED", "CANCELLED"]),
])  # fmt: skip
def test_an_execution_that_a_pause_ends_was_running_again(node: Wait, states: list[str]) -> None:
    assert played(task("p", node)).states == ["RUNNING", *states]


def test_settings_that_say_nothing_are_asked_for_again() -> None:
    run = world(task("p", Wait("{{ d }}")))
    run.start()
    decision = run.tell(Evaluated(EvaluationKey(TaskKey("p"), "settings", 0), None))
    assert decision.rules == ("ask for the limits",)


def test_on_pause_runs_once_and_its_end_says_nothing_about_the_pause() -> None:
    run = played(task("p", Wait("PT1S", on_pause=work("n"), children=(work("a"),))), fails="n")
    assert run.ran() == ["p=SUCCESS", "n=FAILED", "a=SUCCESS"]


def test_an_early_timer_is_set_again() -> None:
    run = world(task("p", Wait("PT1H")))
    run.start()
    decision = run.tell(Due(TaskKey("p")))
    assert (decision.rules, decision.effects) == (("early timer",), (WakeAt(TaskKey("p"), 3_601_000_000),))


def test_while_a_sibling_works_a_pause_does_not_pause_the_execution() -> None:
    run = world(task("g", Parallel((task("p", Wait()), work("a")))))
    run.start()
    assert run.state == "RUNNING"
    run.end("a")
    assert run.state == "PAUSED"


# -- Call


def test_a_call_asks_for_its_request_then_for_its_child_and_takes_over_its_end() -> None:
    run = world(task("c", Call({"flow_id": "{{ x }}"})))
    asked = EvaluationKey(TaskKey("c"), "request", 0)
    assert run.start().effects == (Evaluate(asked, {"flow_id": "{{ x }}"}, typed=True),)
    assert run.tell(Evaluated(asked, {"flow_id": "f"})).effects == (StartChild(TaskKey("c"), 0, asked),)
    run.tell(ChildStarted(TaskKey("c"), 0, "child"))
    run.tell(ChildEnded(TaskKey("c"), "child", "WARNING"))
    assert (run.ran(), run.state) == (["c=WARNING"], "WARNING")
    assert run.rows[TaskKey("c")].attempts == 1


@pytest.mark.parametrize(("ended", "transmits", "becomes"), [
    ("SUCCESS", True, "SUCCESS"), ("FAILED", True, "FAILED"), ("KILLED", True, "KILLED"), ("FAILED", False, "SUCCESS"),
    ("CANCELLED", True, "FAILED"),
])  # fmt: skip
def test_how_a_childs_end_counts(ended: str, transmits: bool, becomes: str) -> None:
    run = world(task("c", Call({}, transmit_failed=transmits)))
    run.outcome = lambda key: ended
    run.start()
    assert run.play().ran() == [f"c={becomes}"]


def test_a_child_that_cannot_be_created_fails_the_task() -> None:
    run = world(task("c", Call({})))
    run.start()
    run.tell(run.todo.pop())
    run.tell(ChildStarted(TaskKey("c"), 0, error="there is no flow a.b"))
    assert (run.ran(), run.rows[TaskKey("c")].error) == (["c=FAILED"], "there is no flow a.b")


def test_a_call_that_does_not_wait_ends_when_its_child_exists() -> None:
    run = played(task("c", Call({}, wait=False)), fails="c")
    assert run.ran() == ["c=SUCCESS"]


def test_many_children_are_one_task_execution() -> None:
    run = world(task("c", Call({}, times="{{ n }}")), answers={"{{ n }}": "1200"})
    ends = iter(["FAILED", *["SUCCESS"] * 1199])
    run.outcome = lambda key: next(ends)
    run.start()
    assert len(run.tell(run.todo.pop()).effects) == 1000
    run.play()
    assert run.ran() == ["c=FAILED"]
    assert sum(isinstance(effect, StartChild) for effect in run.effects) == 1200


@pytest.mark.parametrize(("times", "state"), [("0", "SUCCESS"), ("many", "FAILED")])
def test_no_children(times: str, state: str) -> None:
    assert played(task("c", Call({}, times=times))).ran() == [f"c={state}"]


def test_a_childs_end_told_twice_counts_once() -> None:
    run = world(task("c", Call({}, times="2")))
    run.start()
    run.tell(run.todo.pop(0))
    run.tell(ChildEnded(TaskKey("c"), "x", "SUCCESS"))
    assert run.tell(ChildEnded(TaskKey("c"), "x", "SUCCESS")).rules == ("late child",)


# -- Group


def test_a_groups_members_are_task_executions_of_one_job() -> None:
    node = Group((work("a"), work("b"), work("c")), Policy((work("e"),)))
    run = played(task("g", node), work("z"), fails="b")
    assert run.ran() == ["g=FAILED", "a=SUCCESS", "b=FAILED", "e=SUCCESS"]


def test_a_member_that_said_nothing_more_ends_with_its_group() -> None:
    run = world(task("g", Group((work("a"),))))
    run.start()
    run.tell(MemberStarted(TaskKey("g"), "a"))
    run.end("g", "FAILED")
    assert run.ran() == ["g=FAILED", "a=FAILED"]
