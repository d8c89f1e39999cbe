"""What holds for every flow of nested groups of all kinds, whatever its tasks do and in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.decisions import Evaluate
from core.model.flow import Flow, FlowOutput
from core.model.messages import (
    ROOT,
    ChildEnded,
    ChildStarted,
    Due,
    EndRequested,
    Evaluated,
    EvaluationKey,
    ForceRunRequested,
    JobRestarted,
    KillRequested,
    MemberEnded,
    MemberStarted,
    OutputCorrected,
    PauseRequested,
    RestartRequested,
    ResumeRequested,
    SlotFree,
    Started,
    TaskEnded,
    TaskKey,
)  # fmt: skip
from core.model.nodes import (
    Call,
    Choice,
    Dag,
    Each,
    Group,
    IterationOutput,
    Node,
    Parallel,
    Policy,
    Repeat,
    Retry,
    Sequence,
    Step,
    Wait,
    Work,
)  # fmt: skip
from core.model.state import ENDED
from core.planner import decide
from core.planner.ends import STOPPED
from core.planner.groups import worse
from core.planner.restart import continuation
from tests.planner.simulator import World

LEAVES = ("work", "work", "work", "work", "call", "calls", "job")
GROUPS = ("sequence", "parallel", "dag", "choice", "each", "each", "pairs", "items", "items", "repeat", "wait")
CONDITIONS = (*[None] * 30, "true", "false", "{{ yes }}", "{{ yes }}", "{{ no }}", "{{ wrong }}")
RETRIES = (*[None] * 5, Retry("constant", 1000, max_attempts=3))
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 2**32)
"""Flows are drawn by a generator of our own: what hypothesis draws is mostly small, and here size finds the faults."""


def steps(draw: Random, depth: int, most: int, numbers: Iterator[int]) -> tuple[Step, ...]:
    """Up to so many tasks, with groups in groups down to so many levels."""
    return tuple(step(draw, depth, numbers) for _ in range(min(draw.randint(0, most + 1), most)))


def step(draw: Random, depth: int, numbers: Iterator[int]) -> Step:
    kind = draw.choice(LEAVES if depth == 0 or draw.random() < 0.3 else GROUPS)
    children = steps(draw, depth - 1, 3, numbers) if kind in GROUPS else ()
    errors, last = (steps(draw, 0, 2, numbers) if draw.random() < 0.2 else () for _ in range(2))
    disabled, failure, warning, softens = (draw.random() < 0.12 for _ in range(4))
    node = shape(kind, children, Policy(errors, last, softens), draw.randint(0, 3), numbers)
    return Step(f"t{next(numbers)}", "any", node, run_if=draw.choice(CONDITIONS), disabled=disabled,
                allow_failure=failure, allow_warning=warning, retry=draw.choice(RETRIES))  # fmt: skip


def shape(kind: str, children: tuple[Step, ...], policy: Policy, number: int, numbers: Iterator[int]) -> Node:
    after = {step.id: tuple(one.id for one in children[:at][-number:]) for at, step in enumerate(children) if number}
    members = tuple(Step(f"t{next(numbers)}", "any", Work()) for _ in range(number))
    made: dict[str, Node] = {
        "work": Work(), "call": Call({"flow_id": "x"}), "calls": Call({"flow_id": "x"}, times="{{ times }}"),
        "job": Group(members, policy), "sequence": Sequence(children, policy),
        "parallel": Parallel(children, number, policy), "dag": Dag(children, after, number, policy),
        "choice": Choice("{{ text }}", {"a": children[:1], "b": children[1:]}, children if number else None,
                         policy=policy),
        "each": Each("{{ values }}", children, number, policy=policy),
        "pairs": Each(["x", "y"], children, number, side_by_side=True, policy=policy),
        "items": Each("{{ values }}", children, number, False, policy, True, number != 1,
                      (IterationOutput("o", "STRING", "x"),) * (number != 2), (None, True, False, None)[number],
                      "{{ sometimes }}" if number != 3 else None),
        "repeat": Repeat("{{ sometimes }}", children, "PT0.001S", 3, None, number == 1, policy),
        "wait": Wait("PT0.001S", "{{ long }}" if number == 1 else None, ("RESUME", "WARN", "FAIL", "CANCEL")[number],
                     None, children, policy),
    }  # fmt: skip
    return made[kind]


def answer(draw: Random, effect: Evaluate) -> Evaluated:
    given: Any = effect.template
    if effect.rows is not None or (isinstance(given, dict) and "o" in given):
        error = "" if draw.random() < 0.9 else "wrong"
        return Evaluated(effect.key, given or "storage:///outputs.jsonl", error)
    if isinstance(given, dict):
        return Evaluated(effect.key, {**given, **({"timeout": "PT1H"} if "timeout" in given else {})})
    if given == "{{ wrong }}":
        return Evaluated(effect.key, None, "wrong")
    choices = {
        "{{ text }}": ["a", "b", "c"], "{{ values }}": ["[]", *['["p"]', '["p", 1, "p"]', '["p","q","r"]'] * 4, "no"],
        "{{ sometimes }}": ["true", "false"], "{{ times }}": ["0", "1", "3"], "{{ yes }}": ["true"],
    }  # fmt: skip
    return Evaluated(effect.key, draw.choice(choices.get(given, ["false"])))


def make(seed: int) -> World:
    """A flow, and a world in which its tasks end as they like, in any order."""
    draw, numbers = Random(seed), count()
    children = steps(draw, 3, 6, numbers)
    root = Sequence(children, Policy((Step("E", "any", Work()),), (Step("F", "any", Work()),)))
    after = (Step("X", "any", Work()), Step("Y", "any", Work()))
    flow = Flow("flow", "tests", root, after_execution=after, outputs=(FlowOutput("o", "STRING", "{{ yes }}"),))
    ends = ("FAILED", *["SUCCESS"] * draw.choice([2, 8, 30]), "WARNING")
    run = World(flow, draw.choice, lambda key: draw.choice(ends), lambda effect: answer(draw, effect), check=True)
    run.start()
    return run


def check_ended(run: World) -> None:
    assert run.over(), (run.state, run.counters, run.ran())
    assert run.tasks == {}
    for key, row in run.rows.items():
        assert row.state in ENDED, (key, row)
    for key, number in run.peak.items():
        node: Any = run.flow.root if key == ROOT else run.steps[key.task_id].node
        if not isinstance(node, Group):
            limit = getattr(node, "limit", 1) if isinstance(node, (Parallel, Dag, Each)) else 1
            assert number <= (limit or 1000), f"{key}: {number} at once"


def check_groups(run: World) -> None:
    """A group that ended by itself ended as the worst of its tasks in their last round, as far as it allows."""
    for key, row in run.rows.items():
        step = run.steps[key.task_id]
        node: Any = step.node
        if row.state in ("SKIPPED", "CANCELLED") or row.error or isinstance(node, (Work, Call, Group)):
            continue
        blocks = {one.id for one in (*node.policy.errors, *node.policy.finally_)}
        below = [(one, child) for one, child in run.rows.items() if child.parent == key and one.task_id not in blocks]
        newest = max((one.turn for one, _ in below), default=0)
        worst = "SUCCESS"
        for one, child in below:
            if child.state != "SUCCESS" and (one.turn == newest or not isinstance(node, Repeat)):
                worst = worse(worst, child.state)
        if isinstance(node, Each) and node.as_items:
            check_iterations(node, row)
            worst = worst if node.transmit_failed else "SUCCESS"
        if isinstance(node, Wait) and node.behavior == "WARN":
            worst = worse(worst, "WARNING")
        if worst == "FAILED" and (step.allow_failure or node.policy.failure_is_warning):
            worst = "SUCCESS" if step.allow_warning and step.allow_failure else "WARNING"
        elif worst == "WARNING" and step.allow_warning:
            worst = "SUCCESS"
        assert row.state in (worst, "CANCELLED"), f"{key} ended {row.state}, its tasks {worst}: {run.ran()}"


def check_iterations(node: Each, row: Any) -> None:
    ends = row.output["terminatedIterations"]
    assert sum(ends.values()) == row.output["iterationCount"]
    well = ends.get("SUCCESS", 0) + ends.get("WARNING", 0)
    stored = bool(node.outputs and node.stored)
    assert len(row.output.get("outputs", ())) == (well if node.outputs and not stored else 0)
    assert ("uri" in row.output) == stored


def rows_of(run: World) -> Any:
    return {key: (row.parent, row.state, row.counters, tuple(row.history), row.attempts, row.error)
            for key, row in run.rows.items()}  # fmt: skip


@MANY
@given(seed=SEEDS)
def test_everything_that_opens_ends_and_groups_end_as_their_tasks_did(seed: int) -> None:
    run = make(seed)
    run.play()
    check_ended(run)
    if run.state != "CANCELLED":
        check_groups(run)
    again = World(run.flow, run.choose, lambda key: "SUCCESS", run.answer)
    for now, message in run.log:
        again.now = now
        again.tell(message)
        again.todo.clear()
    assert rows_of(again) == rows_of(run), "replaying the messages gives another tree"


@MANY
@given(seed=SEEDS, number=st.integers(0, 40))
def test_a_kill_ends_everything_at_any_moment(seed: int, number: int) -> None:
    run = make(seed)
    _some(run, number)
    final = run.state in ENDED
    before = run.state
    run.tell(KillRequested())
    run.play()
    check_ended(run)
    assert run.state == (before if final else "KILLED")


@MANY
@given(seed=SEEDS, number=st.integers(0, 40))
def test_a_pause_at_any_moment_holds_it_and_a_resume_lets_it_end(seed: int, number: int) -> None:
    run = make(seed)
    _some(run, number)
    run.tell(PauseRequested())
    if run.state == "PAUSED" and not run.over():
        _some(run, 10_000)
        run.tell(ResumeRequested())
    run.play()
    check_ended(run)


@MANY
@given(seed=SEEDS, number=st.integers(0, 40))
def test_another_owner_goes_on_from_the_rows(seed: int, number: int) -> None:
    run = make(seed)
    _some(run, number)
    if not run.over():
        run.crash()
        run.play()
    check_ended(run)


@MANY
@given(seed=SEEDS, number=st.integers(0, 40), ends=st.sampled_from([
    KillRequested(), EndRequested("FAILED", "late", stop=True), EndRequested("CANCELLED", "late", stop=True),
]))  # fmt: skip
def test_another_owner_ends_what_was_told_to_stop(seed: int, number: int, ends: KillRequested | EndRequested) -> None:
    run = make(seed)
    _some(run, number)
    run.tell(ends)
    if not run.over():
        stopping = run.state == "KILLING" or run.counters.note.startswith(STOPPED)
        run.crash()
        again = [one for one in run.todo if isinstance(one, TaskEnded) and one.state != "KILLED"]
        assert not (stopping and again), "what was told to stop runs again"
        run.play()
    check_ended(run)


@MANY
@given(seed=SEEDS)
def test_a_restart_keeps_what_was_good_and_ends_what_it_opens(seed: int) -> None:
    run = make(seed)
    run.play()
    good = {key: row.attempts for key, row in run.rows.items() if key.task_id not in ("E", "F", "X", "Y")
            and row.state in ("SUCCESS", "WARNING", "SKIPPED")}  # fmt: skip
    run.todo.clear()
    run.timers.clear()
    run.peak.clear()
    decision = run.tell(RestartRequested(), rows=run.past())
    if decision.rules == ("No task found to restart execution from!",):
        assert run.state in ("SUCCESS", "WARNING", "FAILED", "CANCELLED")
        return
    run.play()
    check_ended(run)
    for key, attempts in good.items():
        assert run.rows[key].attempts == attempts, f"{key} was good and ran again"


def _some(run: World, number: int) -> None:
    """Let so many messages arrive."""
    while number and run.todo and not run.over():
        number -= 1
        todo, timers = run.todo, run.timers
        run.todo, run.timers = [todo.pop(0)], []
        first = run.todo.pop()
        run.tell(first)
        run.todo = [*todo, *run.todo]
        run.timers = [*timers, *run.timers]


@MANY
@given(seed=SEEDS, number=st.integers(0, 40), what=st.sampled_from(["from", "stale", "state"]))
def test_any_task_can_be_replayed_rerun_or_changed(seed: int, number: int, what: str) -> None:
    run = make(seed)
    run.play()
    run.todo.clear()
    run.timers.clear()
    run.peak.clear()
    keys = [key for key in run.rows if key.task_id not in ("E", "F", "X", "Y")]
    if keys:
        key = keys[number % len(keys)]
        message = RestartRequested(what, (key,), "SUCCESS" if what == "state" else "")
        plan = continuation(run.facts(rows=run.past((key,))), message)
        assert not plan.kept & plan.entered
        assert not plan.kept & plan.again
        run.tell(message, rows=run.past((key,)))
        run.play()
        check_ended(run)


@MANY
@given(seed=SEEDS, number=st.integers(0, 40), mixed=SEEDS)
def test_no_message_is_impossible(seed: int, number: int, mixed: int) -> None:
    """Whatever is told about whatever task at whatever moment, something is decided."""
    run, draw = make(seed), Random(mixed)
    _some(run, number)
    keys = [*run.rows, TaskKey("t0"), TaskKey("t0", ("x",)), TaskKey("no such task"), ROOT]
    purposes = ("run_if", "branch", "values", "settings", "until", "times", "request", "outputs", "?", "read",
                "iteration outputs 0", "iteration break 0", "iteration file 0")  # fmt: skip
    for _ in range(20):
        key, other = draw.choice(keys), draw.choice(keys)
        state = draw.choice(["SUCCESS", "FAILED", "KILLED"])
        message = draw.choice([
            Started(), TaskEnded(key, state), TaskEnded(key, "SUCCESS", exit=state), Due(key), SlotFree(),
            Evaluated(EvaluationKey(key, draw.choice(purposes), draw.randint(0, 2)), draw.choice([None, "", "1", []])),
            Evaluated(EvaluationKey(key, draw.choice(purposes)), None, "no"), ResumeRequested(), PauseRequested(),
            ResumeRequested(key=key), MemberStarted(key, other.task_id), MemberEnded(key, other.task_id, state),
            JobRestarted(key), ChildStarted(key), ChildEnded(key, "", state, index=draw.randint(0, 2)),
            RestartRequested("from", (key,)), ForceRunRequested(), EndRequested(state), KillRequested(),
            OutputCorrected(key, 1),
        ])  # fmt: skip
        facts = run.facts(rows=run.past())
        decision = decide(facts, message)
        assert decision.rules, message
        assert decide(facts, message) == decision
