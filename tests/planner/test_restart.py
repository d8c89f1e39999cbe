"""Restart, replay, run only what is stale, change a state: what is kept and what runs again."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.data import evolve
from core.model.decisions import Counters, FreeSlot, RestartChild, RunTask
from core.model.messages import (
    EndRequested,
    Evaluated,
    ForceRunRequested,
    KillRequested,
    RestartRequested,
    SlotFree,
    TaskKey,
)
from core.model.nodes import (
    Call,
    Choice,
    Concurrency,
    Dag,
    Each,
    Group,
    Node,
    Parallel,
    Policy,
    Repeat,
    Retry,
    Sequence,
    Step,
    Wait,
)
from core.planner.facts import VALUES
from core.planner.restart import continuation
from tests.planner.flows import again, played, task, work, world
from tests.planner.simulator import World

A = TaskKey("a")


def test_a_restart_goes_on_in_the_row_of_the_failed_task() -> None:
    run = played(work("b"), task("g", Sequence((work("c"), work("a"), work("d")))), work("z"), fails="a")
    decision = again(run)
    assert decision.effects == (RunTask(A),)
    assert run.states[-2:] == ["RESTARTED", "RUNNING"]
    assert run.play().ran() == ["b=SUCCESS", "g=SUCCESS", "c=SUCCESS", "a=SUCCESS", "d#1=SUCCESS", "z#1=SUCCESS"]
    assert run.rows[A].attempts == 2
    assert run.state == "SUCCESS"


def test_what_is_opened_after_a_restart_has_a_turn_that_no_loop_has_had() -> None:
    run = played(task("g", Sequence((work("a"),))), work("z"), fails="a")
    group, failed = run.past()
    run.outcome = lambda key: "SUCCESS"
    run.tell(RestartRequested("failed"), rows=(evolve(group, counters=Counters(turn=7)), failed))
    assert run.play().ran() == ["g=SUCCESS", "a=SUCCESS", "z#8=SUCCESS"]


def test_errors_run_again_at_another_turn_when_it_fails_again() -> None:
    run = played(work("a"), fails="a", policy=Policy((work("e"),), (work("f"),)))
    again(run)
    run.end("a", "FAILED")
    assert run.play().ran() == ["a=FAILED", "e=SUCCESS", "f=SUCCESS", "e#1=SUCCESS", "f#1=SUCCESS"]
    again(run)
    assert run.play().state == "SUCCESS"
    assert run.ran()[-1] == "f#2=SUCCESS"


@pytest.mark.parametrize(("node", "ran"), [
    (Parallel((work("a"), work("b"), work("c")), 2), ["a=SUCCESS", "b=SUCCESS", "c=SUCCESS"]),
    (Dag((work("b"), work("a"), work("c")), {"c": ("a", "b")}), ["b=SUCCESS", "a=SUCCESS", "c=SUCCESS"]),
    (Choice("x", {"x": (work("a"), work("b"))}), ["a=SUCCESS", "b=SUCCESS"]),
    (Wait("PT1S", children=(work("a"), work("b"))), ["a=SUCCESS", "b=SUCCESS"]),
    (Repeat("true", (work("a"), work("b"))), ["a=SUCCESS", "b=SUCCESS"]),
])  # fmt: skip
def test_a_restart_enters_every_kind_of_group(node: Any, ran: list[str]) -> None:
    run = played(task("g", node), fails="a")
    assert run.state == "FAILED"
    again(run)
    run.play()
    assert [one.replace("#1", "") for one in run.ran()] == ["g=SUCCESS", *ran]
    assert run.rows[A].attempts == 2


def test_a_loop_keeps_its_whole_elements_and_goes_on_in_the_others() -> None:
    run = world(task("g", Each(["u", "x", "y", "z"], (work("a"), work("b")), 2)))
    run.start()
    for task_id, value in (("a", "u"), ("b", "u"), ("a", "x")):
        run.end(task_id, "SUCCESS", value)
    run.end("b", "FAILED", "x")
    run.end("a", "SUCCESS", "y")
    assert run.state == "FAILED"
    decision = again(run)
    assert decision.effects == (RunTask(TaskKey("b", ("x",))), RunTask(TaskKey("b", ("y",), 1)))
    run.play()
    assert sorted(run.ran()) == sorted([
        "g=SUCCESS", "a@u=SUCCESS", "b@u=SUCCESS", "a@x=SUCCESS", "b@x=SUCCESS", "a@y=SUCCESS", "b@y#1=SUCCESS",
        "a@z#1=SUCCESS", "b@z#1=SUCCESS",
    ])  # fmt: skip


def test_pairs_side_by_side_run_again_each_by_itself() -> None:
    run = played(task("g", Each(["x", "y"], (work("a"), work("b")), 0, side_by_side=True)), fails="b")
    assert len(again(run).effects) == 2
    assert run.play().ran() == ["g=SUCCESS", "a@x=SUCCESS", "b@x=SUCCESS", "a@y=SUCCESS", "b@y=SUCCESS"]


def test_what_was_allowed_to_fail_is_kept() -> None:
    run = played(task("g", Sequence((work("b"),)), allow_failure=True), work("a"), fails="a b")
    again(run)
    assert run.play().ran() == ["g=WARNING", "b=FAILED", "a=SUCCESS"]
    assert run.state == "WARNING"


def test_a_group_that_failed_by_itself_runs_whole_again() -> None:
    run = played(task("g", Choice("{{ x }}", {"yes": (work("a"),)})), answers={"{{ x }}": "no"})
    run.answer = lambda effect: Evaluated(effect.key, "yes")
    again(run)
    assert run.play().ran() == ["g=FAILED", "g#1=SUCCESS", "a#1=SUCCESS"]


def test_a_pause_that_timed_out_waits_again() -> None:
    run = played(task("p", Wait(timeout="PT1S")))
    again(run)
    assert run.ran() == ["p=FAILED", "p#1=PAUSED"]


def test_a_failed_child_is_restarted_or_made_anew() -> None:
    run = played(task("c", Call({})), fails="c")
    assert again(run).effects == (RestartChild(TaskKey("c")),)
    assert run.play().ran() == ["c=SUCCESS"]
    run = played(task("c", Call({}, restart_child=False)), fails="c")
    again(run)
    assert run.play().ran() == ["c=SUCCESS"]
    assert run.rows[TaskKey("c")].attempts == 2


def test_the_members_of_a_group_run_again() -> None:
    run = played(task("g", Group((work("a"), work("b")))), fails="b")
    again(run)
    assert run.play().ran() == ["g=SUCCESS", "a=SUCCESS", "b=FAILED", "a#2=SUCCESS", "b#2=SUCCESS"]


def test_what_succeeded_cannot_be_restarted() -> None:
    run = played(work("a"))
    assert again(run).rules == ("No task found to restart execution from!",)
    assert run.state == "SUCCESS"
    run = world(work("a"))
    run.start()
    assert again(run).rules == ("nothing to restart: the execution has not ended",)


def test_a_called_execution_goes_on_to_its_end_again_unless_it_has_ended_well_meanwhile() -> None:
    run = played(work("a"))
    assert again(run, "child").rules == ("No task found to restart execution from!",)
    run.state = "FAILED"
    assert again(run, "child").rules[0] == "restart: child"
    assert run.states[-3:] == ["RESTARTED", "RUNNING", "SUCCESS"]


def test_only_what_is_stale_runs() -> None:
    run = played(work("a"), work("b"), task("g", Sequence((work("c"), work("d")))))
    again(run, "stale", stale=(A, TaskKey("d")))
    run.play()
    assert [one for one in run.ran() if "#1" in one] == ["a#1=SUCCESS", "d#1=SUCCESS"]


@pytest.mark.parametrize(("state", "ran", "end"), [
    ("SUCCESS", ["a=SUCCESS", "e=SUCCESS", "b#1=SUCCESS"], "SUCCESS"),
    ("WARNING", ["a=WARNING", "e=SUCCESS", "b#1=SUCCESS"], "WARNING"),
])  # fmt: skip
def test_a_changed_state_counts_and_it_goes_on_from_there(state: str, ran: list[str], end: str) -> None:
    run = played(work("a"), work("b"), fails="a", policy=Policy((work("e"),)))
    again(run, "state", A, state=state)
    assert run.play().ran() == ran
    assert run.state == end


def test_a_success_changed_to_a_failure_runs_the_errors() -> None:
    run = played(work("a"), work("b"), policy=Policy((work("e"),)))
    again(run, "state", A, state="FAILED")
    assert run.play().ran() == ["a=FAILED", "b=SUCCESS", "e#1=SUCCESS"]
    assert run.state == "FAILED"


def test_a_derived_execution_goes_on_from_copied_rows() -> None:
    steps = (work("b"), task("g", Each(["x", "y"], (work("a"), work("c")))), work("z"))
    run = played(*steps)
    message = RestartRequested("from", (TaskKey("a", ("y",)),))
    plan = continuation(run.facts(rows=run.past()), message)
    assert plan.kept == {TaskKey("b"), TaskKey("a", ("x",)), TaskKey("c", ("x",))}
    assert plan.entered == {TaskKey("g")}
    derived = world(*steps)
    rows = tuple(evolve(row, attempts=0) for row in run.past() if row.key in plan.kept | plan.entered)
    bare = tuple(evolve(row, attempts=0) for row in run.past() if row.key in message.tasks)
    for row in rows + bare:
        derived.rows[row.key] = run.rows[row.key]
    derived.record = {key: value for key, value in run.record.items() if key.purpose == VALUES}
    derived.tell(message, rows=rows + bare)
    derived.play()
    assert derived.state == "SUCCESS"
    assert derived.rows[TaskKey("a", ("y",))].attempts == 1
    assert {"c@y#1=SUCCESS", "z#1=SUCCESS"} <= set(derived.ran())


def test_a_kept_group_is_kept_with_all_that_ran_in_it() -> None:
    run = played(task("g", Each(["x", "y"], (work("a"),))), task("s", Sequence((work("b"),))), work("z"))
    plan = continuation(run.facts(rows=run.past()), RestartRequested("from", (TaskKey("z"),)))
    inside = {TaskKey("a", ("x",)), TaskKey("a", ("y",)), TaskKey("b")}
    assert plan.kept == {TaskKey("g"), TaskKey("s"), *inside}


def test_after_execution_runs_again_after_a_restart() -> None:
    run = played(work("a"), fails="a", after_execution=(work("x"),), retry=Retry("constant", 1, max_attempts=1))
    again(run)
    assert run.play().ran() == ["a=SUCCESS", "x=SUCCESS", "x#1=SUCCESS"]


# -- a flow with a concurrency limit


def no_slot(behavior: str, what: str = "failed", *keys: TaskKey) -> World:
    """A flow that failed, restarted while others have all its slots."""
    run = played(work("a"), work("z"), fails="a", concurrency=Concurrency(1, behavior), after_execution=(work("l"),))
    run.slot_free = False
    again(run, what, *keys)
    return run


def test_a_restart_takes_a_slot() -> None:
    run = played(work("a"), fails="a", concurrency=Concurrency(1, "QUEUE"))
    decision = again(run)
    assert (decision.guards, decision.effects) == ((FreeSlot("tests", "flow", 1),), (RunTask(A),))


@pytest.mark.parametrize("what", ["failed", "from"])
def test_without_a_slot_a_restart_waits_for_one(what: str) -> None:
    run = no_slot("QUEUE", what, A)
    assert run.states[-2:] == ["RESTARTED", "QUEUED"]
    assert run.ran() == ["a=FAILED", "l=SUCCESS"]
    assert run.tell(SlotFree(), rows=run.past()).rules == ("the slot is taken again",)
    run.crash()
    run.slot_free = True
    decision = run.tell(SlotFree(), rows=run.past())
    assert (decision.guards, decision.effects) == ((FreeSlot("tests", "flow", 1),), (RunTask(A),))
    assert run.play().ran() == ["a=SUCCESS", "l=SUCCESS", "z#1=SUCCESS", "l#1=SUCCESS"]
    assert run.states[-3:] == ["QUEUED", "RUNNING", "SUCCESS"]


@pytest.mark.parametrize(("behavior", "state"), [("CANCEL", "CANCELLED"), ("FAIL", "FAILED")])
def test_without_a_slot_a_restart_may_end_at_once(behavior: str, state: str) -> None:
    run = no_slot(behavior)
    assert run.states[-2:] == ["RESTARTED", state]
    assert run.error == f"Execution is {state} due to concurrency limit exceeded"
    assert run.play().ran() == ["a=FAILED", "l=SUCCESS", "l#1=SUCCESS"]
    run.slot_free = True
    again(run)
    assert run.play().state == "SUCCESS"


def test_a_restart_that_waits_can_be_forced_killed_or_ended() -> None:
    for message, state in ((ForceRunRequested(), "RUNNING"), (KillRequested(), "KILLED"),
                           (EndRequested("CANCELLED"), "CANCELLED")):  # fmt: skip
        run = no_slot("QUEUE")
        assert run.tell(message, rows=run.past()).guards == ()
        assert run.state == state
        assert run.counters.note == ""


def test_a_derived_execution_waits_for_a_slot_too() -> None:
    run = played(work("b"), work("a"), work("z"), concurrency=Concurrency(1, "QUEUE"))
    run.state, run.counters, run.states = "CREATED", Counters(), []
    del run.rows[A], run.rows[TaskKey("z")]
    run.slot_free = False
    run.tell(RestartRequested("from", (A,)), rows=run.past())
    assert run.states == ["QUEUED"]
    run.slot_free = True
    run.tell(SlotFree(), rows=run.past())
    assert run.play().ran() == ["b=SUCCESS", "a#1=SUCCESS", "z#1=SUCCESS"]


def test_what_needs_no_restart_needs_no_slot() -> None:
    run = played(work("a"), concurrency=Concurrency(1, "FAIL"))
    run.slot_free = False
    assert again(run).rules == ("No task found to restart execution from!",)
    assert run.state == "SUCCESS"


# -- groups whose turn comes later

B, C, D = TaskKey("b"), TaskKey("c"), TaskKey("d")
PAIR = (work("b"), work("c"))
LATER_GROUPS: dict[str, Node] = {
    "sequence": Sequence(PAIR),
    "parallel": Parallel(PAIR, 1),
    "dag": Dag(PAIR, {"c": ("b",)}),
    "choice": Choice("x", {"x": PAIR}),
    "empty choice": Choice("", {"": PAIR}),
    "nested": Sequence((task("inner", Sequence(PAIR)),)),
    "side by side": Each(["u"], PAIR, 0, side_by_side=True),
}


@pytest.mark.parametrize("crashes", [False, True])
@pytest.mark.parametrize("name", LATER_GROUPS)
def test_of_a_later_group_only_what_is_stale_runs(name: str, crashes: bool) -> None:
    run = played(work("a"), task("g", LATER_GROUPS[name]), work("d"))
    path = ("u",) if name == "side by side" else ()
    again(run, "stale", stale=(A, C._replace(path=path)))
    if crashes:
        run.crash()
    run.play()
    at = "@u" if path else ""
    inner = ["inner=SUCCESS"] if name == "nested" else []
    assert run.ran() == ["a=SUCCESS", "g=SUCCESS", *inner, f"b{at}=SUCCESS", f"c{at}=SUCCESS", "d=SUCCESS",
                         "a#1=SUCCESS", f"c{at}#1=SUCCESS"]  # fmt: skip
    assert (run.state, run.tasks) == ("SUCCESS", {})


def test_of_a_later_loop_the_elements_that_are_stale_run_again_whole() -> None:
    run = played(work("a"), task("g", Each(["x", "y", "z"], PAIR, 0)), work("d"))
    again(run, "stale", stale=(A, TaskKey("c", ("y",)), D))
    ran = [one for one in run.play().ran() if "#1" in one]
    assert ran == ["a#1=SUCCESS", "b@y#1=SUCCESS", "c@y#1=SUCCESS", "d#1=SUCCESS"]
    assert run.state == "SUCCESS"


def test_below_a_dag_too_only_what_is_stale_runs() -> None:
    groups = (work("a"), task("g", Sequence(PAIR)), work("d"))
    run = played(task("all", Dag(groups, {"g": ("a",), "d": ("g",)})))
    again(run, "stale", stale=(A, C))
    assert [one for one in run.play().ran() if "#1" in one] == ["a#1=SUCCESS", "c#1=SUCCESS"]
    assert (run.state, run.tasks) == ("SUCCESS", {})


def test_a_group_that_ends_as_it_is_restarted_ends_no_dag_that_has_more_to_do() -> None:
    inner = task("inner", Sequence((work("a"), work("b", run_if="false"))))
    run = world(task("all", Dag((inner, work("x"), work("c")), {}, 2)))  # `c` waits for nothing but the limit
    run.start()
    run.end("a", "FAILED")
    run.end("x")
    assert (run.state, run.ran()) == ("FAILED", ["all=FAILED", "inner=FAILED", "a=FAILED", "x=SUCCESS"])

    again(run, "state", TaskKey("a"), state="WARNING")

    assert [one for one in run.play().ran() if "#1" in one] == ["b#1=SKIPPED", "c#1=SUCCESS"]
    assert run.rows[TaskKey("all")].state == "WARNING"


@pytest.mark.parametrize("ended", [work("a", run_if="false"), task("a", Sequence((work("x", run_if="false"),)))])
def test_what_waits_in_a_dag_for_a_child_that_ends_as_it_is_restarted_runs_then(ended: Step) -> None:
    run = world(task("all", Dag((ended, work("b"), work("c")), {"b": ("a",), "c": ("b",)})))
    run.start()
    run.play()

    again(run, "from", A)

    assert [key.task_id for key in run.play().rows if key.turn == 1 and key.task_id != "x"] == ["a", "b", "c"]


@pytest.mark.parametrize("ends", ["FAILED", "kill"])
def test_a_later_group_whose_turn_never_comes_is_as_it_was(ends: str) -> None:
    run = played(work("a"), task("g", Sequence((task("inner", Sequence(PAIR)), work("x")))), work("d"))
    again(run, "stale", stale=(A, C))
    if ends == "kill":
        run.tell(KillRequested())
        run.end("a", "KILLED", turn=1)
        assert (run.state, run.rows[TaskKey("g")].state) == ("KILLED", "KILLED")
    else:
        run.end("a", "FAILED", turn=1)
        rest = ["g=SUCCESS", "inner=SUCCESS", "b=SUCCESS", "c=SUCCESS", "x=SUCCESS", "d=SUCCESS"]
        assert run.ran() == ["a=SUCCESS", *rest, "a#1=FAILED"]
        assert run.state == "FAILED"
    assert run.tasks == {}


def test_what_is_kept_in_a_later_group_is_copied_into_a_derived_execution() -> None:
    run = played(work("a"), task("g", Sequence(PAIR)), work("d"))
    facts = evolve(run.facts(rows=run.past((A, C))), state="CREATED")
    found = continuation(facts, RestartRequested("stale"))
    assert set(found.kept) == {B, D}
    assert set(found.entered) == {TaskKey("g")}


def test_a_derived_execution_runs_what_is_missing_in_its_later_groups() -> None:
    run = played(work("a"), task("g", Sequence(PAIR)), work("d"))
    stale = (A, C)
    found = continuation(evolve(run.facts(rows=run.past(stale)), state="CREATED"), RestartRequested("stale"))
    copied = found.kept | found.entered | found.again
    run.rows = {key: row for key, row in run.rows.items() if key in copied}
    run.state, run.counters, run.states = "CREATED", Counters(), []
    run.tell(RestartRequested("stale", tuple(found.entered)), rows=run.past(stale))
    assert run.play().ran() == ["a=SUCCESS", "g=SUCCESS", "b=SUCCESS", "d=SUCCESS", "c#1=SUCCESS"]
    assert (run.rows[A].attempts, run.state, run.tasks) == (2, "SUCCESS", {})
