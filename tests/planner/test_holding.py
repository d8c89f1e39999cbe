"""Kill, pause, resume, exit and concurrency, for every shape of node."""

from __future__ import annotations

import pytest

from core.model.decisions import Counters, EndTask, FreeSlot, KillChild, ReleaseSlot, RunTask, StopTask
from core.model.flow import Flow, FlowOutput
from core.model.messages import (
    ROOT,
    ChildEnded,
    EndRequested,
    ForceRunRequested,
    KillRequested,
    MemberStarted,
    PauseRequested,
    ResumeRequested,
    SlotFree,
    Started,
    TaskEnded,
    TaskKey,
    TaskWaits,
)  # fmt: skip
from core.model.nodes import (
    Call,
    Choice,
    Concurrency,
    Each,
    Group,
    Node,
    Parallel,
    Policy,
    Repeat,
    Retry,
    Sequence,
    Wait,
)
from core.planner import Facts, TaskFacts, decide, pending
from tests.planner.flows import played, task, work, world
from tests.planner.simulator import World

# -- kill


@pytest.mark.parametrize("node", [
    Wait("PT1H"), Repeat("false", (work("a"),)), Sequence((work("a"), work("b"))), Each(["x", "y"], (work("a"),), 0),
    Call({}), Call({}, times="3"), Group((work("a"),)), Parallel((task("w", Wait()), work("a"))),
])  # fmt: skip
def test_a_kill_ends_every_kind_without_errors_and_finally(node: Node) -> None:
    run = world(task("g", node), policy=Policy((work("e"),), (work("f"),)))
    run.start()
    while run.todo and run.tasks and not isinstance(run.todo[0], (TaskEnded, ChildEnded)):
        run.tell(run.todo.pop(0))
    run.tell(KillRequested())
    assert run.play().state == "KILLED"
    assert run.tasks == {}
    assert not {"e", "f"} & {key.task_id for key in run.rows}


def test_a_kill_reaches_children_and_waits_for_them() -> None:
    run = world(task("c", Call({})))
    run.start()
    run.tell(run.todo.pop(0))
    assert run.tell(KillRequested()).effects == (KillChild(TaskKey("c")),)
    assert run.state == "KILLING"
    run.outcome = lambda key: "KILLED"
    assert run.play().ran() == ["c=SUCCESS"]
    assert run.state == "KILLED"


def test_a_new_owner_kills_children_once_more_and_waits_for_each_of_them_once() -> None:
    key = TaskKey("c")
    run = world(task("c", Call({}, times="2")))
    run.start()
    run.tell(KillRequested())
    run.crash()
    assert pending(run.facts())[0] == KillChild(key)
    first, second = run.todo
    run.tell(ChildEnded(key, "child-0", "KILLED", index=0))
    assert run.tell(first).rules == ("late answer",)
    assert run.state == "KILLING"
    run.tell(second)
    assert (run.state, run.ran()) == ("KILLED", ["c=KILLED"])


def test_members_stop_with_their_group() -> None:
    run = world(task("g", Group((work("a"),))))
    run.start()
    run.tell(MemberStarted(TaskKey("g"), "a"))
    assert run.tell(KillRequested()).effects == (StopTask(TaskKey("g")),)
    run.end("g", "KILLED")
    assert (run.state, run.ran()) == ("KILLED", ["g=KILLED", "a=KILLED"])


def test_a_killed_execution_still_runs_what_comes_after() -> None:
    run = world(work("a"), after_execution=(work("x"), work("y")))
    run.start()
    run.tell(KillRequested())
    run.end("a", "KILLED")
    assert (run.state, run.counters.phase) == ("KILLED", "after")
    assert run.play().ran() == ["a=KILLED", "x=SUCCESS", "y=SUCCESS"]


def test_a_kill_of_what_comes_after_leaves_the_state() -> None:
    run = world(work("a"), after_execution=(work("x"), work("y")))
    run.start()
    run.end("a")
    assert run.tell(KillRequested()).effects == (StopTask(TaskKey("x")),)
    run.end("x", "KILLED")
    assert (run.state, run.over(), run.ran()) == ("SUCCESS", True, ["a=SUCCESS", "x=KILLED"])


@pytest.mark.parametrize("resumed", [True, False])
def test_a_pause_in_what_comes_after_leaves_the_state(resumed: bool) -> None:
    pause = task("p", Wait("PT1S", behavior="CANCEL"))
    run = world(work("a"), after_execution=(pause, work("x")))
    run.start()
    run.end("a")
    if resumed:
        run.tell(ResumeRequested())
    run.play()
    assert (run.state, run.over()) == ("SUCCESS", True)
    assert run.ran()[1:] == (["p=SUCCESS", "x=SUCCESS"] if resumed else ["p=KILLED"])


def test_a_waiting_retry_is_killed_at_once() -> None:
    run = world(work("a", retry=Retry("constant", 10**9)))
    run.start()
    run.end("a", "FAILED")
    run.tell(KillRequested())
    assert (run.state, run.ran()) == ("KILLED", ["a=KILLED"])


# -- pause and resume


def test_while_paused_what_runs_goes_on_and_nothing_begins() -> None:
    run = world(task("g", Parallel((work("a"), work("b"), work("c")), 2)), work("z"))
    run.start()
    run.tell(PauseRequested())
    assert run.end("a").effects == ()
    assert (run.state, run.ran()) == ("PAUSED", ["g=RUNNING", "a=SUCCESS", "b=RUNNING", "c=QUEUED"])
    assert run.tell(ResumeRequested()).effects == (RunTask(TaskKey("c")),)
    assert run.states[-3:] == ["PAUSED", "RESTARTED", "RUNNING"]
    assert run.play().ran()[-1] == "z=SUCCESS"


def test_conditions_and_timers_wait_for_the_resume_too() -> None:
    retry = Retry("constant", 1)
    run = world(work("a", retry=retry), work("b", run_if="false"), work("c", run_if="{{ c }}"), work("d"))
    results = iter(["FAILED", "SUCCESS"])
    run.outcome = lambda key: next(results, "SUCCESS")
    run.start()
    run.tell(run.todo.pop())
    run.tell(PauseRequested())
    run.play()
    assert (run.state, run.ran()) == ("PAUSED", ["a=RETRYING"])
    run.tell(ResumeRequested())
    assert run.play().ran() == ["a=SUCCESS", "b=SKIPPED", "c=SUCCESS", "d=SUCCESS"]


def test_a_paused_execution_ends_when_nothing_is_left_to_begin() -> None:
    run = world(work("a"))
    run.start()
    run.tell(PauseRequested())
    run.end("a")
    assert run.state == "SUCCESS"


def test_one_of_several_pauses_can_be_resumed() -> None:
    run = world(task("g", Parallel((task("p", Wait()), task("q", Wait())))))
    run.start()
    run.tell(ResumeRequested(key=TaskKey("q")))
    assert (run.state, run.ran()) == ("PAUSED", ["g=RUNNING", "p=PAUSED", "q=SUCCESS"])
    assert run.tell(ResumeRequested(key=TaskKey("q"))).rules == ("nothing to resume",)


# -- exit


@pytest.mark.parametrize(("state", "ends"), [
    ("SUCCESS", "SUCCESS"), ("WARNING", "WARNING"), ("FAILED", "FAILED"), ("CANCELLED", "CANCELLED"),
])  # fmt: skip
def test_a_task_that_asks_for_the_end_gets_it_without_finally(state: str, ends: str) -> None:
    blocks = Policy((work("e"),), (work("f"),))
    inner = task("g", Parallel((work("a"), work("b"), task("w", Wait())), 0, blocks))
    run = world(inner, work("z"), policy=blocks, after_execution=(work("x"),))
    run.start()
    run.tell(TaskEnded(TaskKey("a"), "SUCCESS", exit=state))
    assert run.ran() == ["g=RUNNING", f"a={state}", "b=RUNNING", "w=PAUSED"]
    run.todo.pop(0)
    run.play()
    assert run.ran() == [f"g={ends}", f"a={ends}", "b=SUCCESS", f"w={ends}", "x=SUCCESS"]
    assert run.state == ends


def test_flow_outputs_are_given_after_an_exit() -> None:
    run = world(work("a"), work("b"), outputs=(FlowOutput("x", "STRING", "1"),))
    run.start()
    run.tell(TaskEnded(TaskKey("a"), "SUCCESS", exit="SUCCESS"))
    run.todo.pop(0)
    assert run.counters.phase == "outputs"
    assert run.play().state == "SUCCESS"


def test_an_end_from_outside_stops_what_runs() -> None:
    run = world(work("a"), work("b"))
    run.start()
    assert run.tell(EndRequested("FAILED", "too slow", stop=True)).effects == (StopTask(TaskKey("a")),)
    run.end("a", "KILLED")
    assert (run.state, run.error, run.ran()) == ("FAILED", "too slow", ["a=FAILED"])


def test_so_does_one_that_gives_its_thread_back_instead_of_ending() -> None:
    run = world(work("a"))
    run.start()
    run.tell(EndRequested("FAILED", "too slow", stop=True))
    run.tell(TaskWaits(TaskKey("a"), 50_000_000, "half"))
    assert (run.state, run.error, run.ran()) == ("FAILED", "too slow", ["a=FAILED"])


@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_the_last_task_that_runs_ends_as_it_was_asked_from_outside_and_the_others_are_killed(
    state: str, first: str
) -> None:
    run = world(task("g", Parallel((work("w"), task("c", Call({})), work("a"), work("b")))))
    run.start()
    run.tell(TaskWaits(TaskKey("w"), 50_000_000, "half"))
    run.tell(run.todo.pop(1))
    assert run.tell(EndRequested(state, "late", stop=True)).effects == (StopTask(TaskKey("a")), StopTask(TaskKey("b")))
    run.end(first, "KILLED")
    run.end("b" if first == "a" else "a", "KILLED")
    assert run.ran() == [f"g={state}", "w=KILLED", "c=KILLED", "a=KILLED", f"b={state}"]
    assert run.state == state


def test_what_waits_of_an_execution_whose_flow_is_not_known_is_killed() -> None:
    waits = {TaskKey("a"): TaskFacts(ROOT, "RUNNING", attempts=1, due_at=50_000_000)}
    facts = Facts(Flow("", "", Sequence(())), {}, "RUNNING", Counters(running=1), waits)
    decision = decide(facts, EndRequested("FAILED", "gone", stop=True))
    assert decision.changes[0] == EndTask(TaskKey("a"), "KILLED")
    assert decision.changes[-1].state == "FAILED"  # type: ignore[union-attr]


def test_a_call_ends_as_it_was_asked_from_outside_and_its_child_is_left_to_itself() -> None:
    run = world(task("c", Call({})))
    run.start()
    run.tell(run.todo.pop(0))
    assert run.tell(EndRequested("FAILED", "late", stop=True)).effects == ()
    assert (run.state, run.ran()) == ("FAILED", ["c=FAILED"])


def test_a_task_that_asks_for_a_kill_leaves_child_executions_to_themselves() -> None:
    run = world(task("g", Parallel((task("c", Call({})), work("a"), work("b")))))
    run.start()
    run.tell(run.todo.pop(0))
    assert run.tell(TaskEnded(TaskKey("a"), "SUCCESS", exit="KILLED")).effects == (StopTask(TaskKey("b")),)
    run.end("b", "KILLED")
    assert (run.state, run.ran()) == ("KILLED", ["g=KILLED", "c=KILLED", "a=KILLED", "b=KILLED"])


def test_a_task_that_waits_by_itself_goes_on_to_its_end_when_another_asks_for_the_end() -> None:
    run = world(task("g", Parallel((work("a"), work("b"), work("c")))), work("z"))
    run.start()
    run.tell(TaskWaits(TaskKey("b"), 50_000_000, "half"))
    run.tell(TaskEnded(TaskKey("a"), "SUCCESS", exit="SUCCESS"))
    run.todo = [one for one in run.todo if one.key == TaskKey("c")]  # type: ignore[union-attr]
    run.tell(TaskWaits(TaskKey("c"), 60_000_000, "half"))
    run.todo.clear()
    assert run.play().ran() == ["g=SUCCESS", "a=SUCCESS", "b=SUCCESS", "c=SUCCESS"]
    assert run.state == "SUCCESS"
    assert run.now > 60_000_000


def test_a_kill_ends_what_waits_after_another_asked_for_the_end() -> None:
    run = world(task("g", Parallel((work("a"), work("b")))))
    run.start()
    run.tell(TaskWaits(TaskKey("b"), 50_000_000, "half"))
    run.tell(TaskEnded(TaskKey("a"), "SUCCESS", exit="SUCCESS"))
    run.tell(KillRequested())
    assert (run.state, run.states[-2:]) == ("KILLED", ["KILLING", "KILLED"])
    assert run.ran() == ["g=KILLED", "a=SUCCESS", "b=KILLED"]


def test_what_is_killed_at_once_was_killing_before() -> None:
    run = world(task("p", Wait()))
    run.start()
    run.tell(KillRequested())
    assert run.states == ["RUNNING", "PAUSED", "KILLING", "KILLED"]


@pytest.mark.parametrize(("ended", "error", "warning"), [
    ("FAILED", "the execution child-0 ended FAILED", ""), ("CANCELLED", "the execution child-0 ended CANCELLED", ""),
    ("WARNING", "", "the execution child-0 ended WARNING"), ("SUCCESS", "", ""), ("KILLED", "", ""),
])  # fmt: skip
def test_a_call_says_which_execution_did_not_end_well(ended: str, error: str, warning: str) -> None:
    run = world(task("c", Call({})))
    run.outcome = lambda key: ended
    run.start()
    row = run.play().rows[TaskKey("c")]
    assert (row.error, row.warning) == (error, warning)


@pytest.mark.parametrize("value", ["!x", "?x"])
def test_the_branch_of_a_choice_is_never_taken_for_a_reason(value: str) -> None:
    row = played(task("s", Choice(value, {}, (work("a"),)))).rows[TaskKey("s")]
    assert (row.state, row.error, row.warning) == ("SUCCESS", "", "")


# -- concurrency


def limited(behavior: str) -> World:
    return world(work("a"), concurrency=Concurrency(2, behavior))


def test_a_start_is_guarded_and_the_end_frees_the_slot() -> None:
    run = limited("QUEUE")
    assert run.start().guards == (FreeSlot("tests", "flow", 2),)
    assert run.end("a").effects == (ReleaseSlot("tests", "flow"),)


def test_without_a_slot_it_queues_until_one_is_free() -> None:
    run = limited("QUEUE")
    run.slot_free = False
    run.start()
    assert (run.state, run.ran()) == ("QUEUED", [])
    assert run.tell(SlotFree()).rules == ("the slot is taken again",)
    run.slot_free = True
    assert run.tell(SlotFree()).guards == (FreeSlot("tests", "flow", 2),)
    run.play()
    assert run.states == ["QUEUED", "RUNNING", "SUCCESS"]


@pytest.mark.parametrize(("behavior", "state", "error"), [
    ("CANCEL", "CANCELLED", "Execution is CANCELLED due to concurrency limit exceeded"),
    ("FAIL", "FAILED", "Execution is FAILED due to concurrency limit exceeded"),
])  # fmt: skip
def test_without_a_slot_it_may_end_at_once(behavior: str, state: str, error: str) -> None:
    run = limited(behavior)
    run.slot_free = False
    assert run.start().effects == ()
    assert (run.state, run.error, run.ran()) == (state, error, [])


def test_a_queued_execution_can_be_forced_or_killed() -> None:
    for message, state in ((ForceRunRequested(), "RUNNING"), (KillRequested(), "KILLED")):
        run = limited("QUEUE")
        run.slot_free = False
        run.start()
        decision = run.tell(message)
        assert (run.state, decision.guards) == (state, ())
        assert ReleaseSlot("tests", "flow") not in decision.effects


def test_force_run_lifts_a_pause() -> None:
    run = world(task("p", Wait()))
    run.start()
    run.tell(ForceRunRequested())
    assert run.state == "SUCCESS"
    assert run.tell(Started()).rules == ("already ended",)
    assert played(work("a")).tell(ForceRunRequested()).rules == ("already ended",)
