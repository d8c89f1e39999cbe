"""The loop: one commit for all that came in, and nothing done before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest

from core.engine import variables
from core.errors import Conflict, Unreachable
from core.host.records import Unit
from core.host.seam import (
    Answer,
    Down,
    EvaluationJob,
    EvaluationResult,
    OutputText,
    Place,
    Question,
    Read,
    Stop,
    TaskJob,
    Up,
)
from core.host.views import ExecutionChanged, TaskChanged, TaskLogged
from core.model.flow import FlowOutput
from core.model.messages import EvaluationKey, TaskKey
from core.records import SqliteRecords
from tests.engine.world import ORGANIZATION, World, chain, ended, line, only_end, running, succeed, task
from tests.waiting import until

KILLED = "the execution was killed"


def left_behind(world: World) -> bool:
    """Whether others see that nobody works on it any more, as soon as the engine is gone."""
    assert world.records.abandoned(ORGANIZATION, "") == ()
    world.records.forget_engine("engine-1")
    return world.records.abandoned(ORGANIZATION, "") == ("e1",)


# -- decide, commit, act


def test_a_chain_is_one_commit_for_each_end(world: World) -> None:
    world.does = lambda down: [line(down, "one"), line(down, "two"), ended(down)] if isinstance(down, TaskJob) else []
    world.run(*chain(10))
    assert (world.state(), world.jobs()) == ("SUCCESS", [f"t{number}" for number in range(10)])
    assert len(world.records.commits) == 11
    assert [len(unit.logs) for units in world.records.commits for unit in units] == [0, *[2] * 10]


def test_everything_that_came_in_is_one_commit(world: World) -> None:
    """Two executions whose results arrive together."""
    world.own(*chain(1))
    world.own(*chain(1), name="e2")
    world.engine.run()
    assert [[unit.execution.id for unit in units] for units in world.records.commits] == [["e1", "e2"]] * 2
    assert (world.state("e1"), world.state("e2")) == ("SUCCESS", "SUCCESS")


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_nothing_is_sent_before_it_is_written(world: World, allowed: int) -> None:
    def refuse(_: Sequence[Unit]) -> None:
        if len(world.records.commits) >= allowed:
            raise Unreachable("the disk is gone")

    world.records.before = refuse
    with pytest.raises(Unreachable, match="the disk is gone"):
        world.run(*chain(5))
    assert world.jobs() == [f"t{number}" for number in range(allowed)]
    assert len(world.states()) == allowed
    assert [one for one in world.told if isinstance(one, TaskChanged)][-1:] == [
        one for one in world.told if isinstance(one, TaskChanged) and one.task_name == f"t{allowed - 1}"
    ][-1:]
    assert left_behind(world)


def test_a_lost_execution_is_left_alone(world: World) -> None:
    """Another engine has taken it over: the late writer is refused, acts no more, and says so."""

    def lose(_: Sequence[Unit]) -> None:
        if len(world.records.commits) == 2:
            world.records.claim("e1", "engine-1")

    world.records.before = lose
    with pytest.raises(Conflict) as caught:
        world.run(*chain(5))
    assert str(caught.value) == (
        "another process has taken over the execution e1\n  to do: the execution has another owner"
    )
    assert world.jobs() == ["t0", "t1"]
    assert world.states() == [("t0", "SUCCESS"), ("t1", "RUNNING")]


def test_what_happened_is_told_after_the_commit_in_its_order(world: World) -> None:
    world.run(*chain(2))
    assert [(type(one).__name__, getattr(one, "task_name", ""), one.state) for one in world.told
            if isinstance(one, (TaskChanged, ExecutionChanged))] == [
        ("TaskChanged", "t0", "RUNNING"), ("ExecutionChanged", "", "RUNNING"), ("TaskChanged", "t0", "SUCCESS"),
        ("TaskChanged", "t1", "RUNNING"), ("TaskChanged", "t1", "SUCCESS"), ("ExecutionChanged", "", "SUCCESS"),
    ]  # fmt: skip


def test_views_have_order_histories_and_attempts(world: World) -> None:
    world.run(task("z", run_if="{{ true }}"), task("a"))
    first, second = world.records.task_executions(ORGANIZATION, "e1")
    assert [state for state, _ in first.history] == ["CREATED", "RUNNING", "SUCCESS"]
    assert [state for state, _ in second.history] == ["CREATED", "RUNNING", "SUCCESS"]
    times = [at for _, at in first.history] + [at for _, at in second.history]
    assert times == sorted(times)
    job = next(one for one in world.sent if isinstance(one, TaskJob))
    assert [(attempt.n, attempt.id, attempt.state) for attempt in first.attempts] == [(1, job.attempt_id, "SUCCESS")]
    assert (job.attempt, job.place.task_execution_id) == (1, first.id)


# -- messages that come late, twice or for nobody


def test_a_second_result_changes_nothing(world: World) -> None:
    def twice(down: Down) -> Sequence[Up]:
        if not isinstance(down, TaskJob):
            return []
        return [ended(down), ended(down, "FAILED", '"second"'), line(down, "late")]

    world.does = twice
    world.run(task("a"), task("b", properties={"format": "{{ outputs.a.value }}"}))
    assert world.states() == [("a", "SUCCESS"), ("b", "SUCCESS")]
    second = [one for one in world.sent if isinstance(one, TaskJob)][1]
    assert second.variables["outputs"] == {"a": OutputText('{"value":"a"}')}


def test_an_answer_for_an_execution_that_has_ended_harms_no_other(world: World) -> None:
    """The evaluation of a killed execution is answered while another one of the same engine goes on."""
    pending: list[EvaluationJob] = []

    def late(down: Down) -> Sequence[Up]:
        if isinstance(down, EvaluationJob):
            pending.append(down)
            return []
        if not isinstance(down, TaskJob):
            return []
        late_answers = [EvaluationResult(job.ticket, '"true"') for job in pending if down.place.task_name == "t3"]
        return [*late_answers, ended(down)]

    world.does = late
    world.own(task("a", run_if="{{ true }}"))
    world.own(*chain(6), name="e2")
    world.records.send("e1", "kill", "{}", 1)
    world.engine.run()
    assert (world.state("e1"), world.state("e2")) == ("KILLED", "SUCCESS")


def test_a_question_nobody_can_answer_is_answered_so(world: World) -> None:
    place = Place(ORGANIZATION, "tests", "flow", "e1")
    world.does = lambda down: [Question(9, place, "weather", {}), ended(down)] if isinstance(down, TaskJob) else []
    world.run(task("a"))
    assert [one for one in world.sent if isinstance(one, Answer)] == [Answer(9, error="nobody answers `weather`")]


def test_a_message_of_a_newer_version_is_refused_by_name(world: World) -> None:
    world.own(task("a"))
    world.records.send("e1", "output_corrected", "{}", 1)
    with pytest.raises(Conflict) as caught:
        world.engine.run()
    assert str(caught.value) == "the message `output_corrected` in the inbox of e1 is of a newer version\n  to do: upgrade this installation"


# -- evaluations


def test_an_evaluation_is_recorded_once_with_what_it_read(world: World) -> None:
    def answer(down: Down) -> Sequence[Up]:
        if isinstance(down, EvaluationJob):
            outputs = '{"x":"1"}' if isinstance(down.template, dict) else '"true"'
            return [EvaluationResult(down.ticket, outputs, reads=(Read("outputs.a.value", "a"),))]
        return [ended(down)] if isinstance(down, TaskJob) else []

    world.does = answer
    world.run(
        task("a"), task("b", run_if="{{ outputs.a.value }}"), outputs=(FlowOutput("x", "INT", "{{ outputs.a.value }}"),)
    )
    evaluations = world.records.claim("e1", "engine-1").evaluations
    assert evaluations == {
        EvaluationKey(TaskKey("b"), "run_if"): ("true", ""), EvaluationKey(TaskKey(""), "outputs"): ({"x": 1}, ""),
    }  # fmt: skip
    connection = sqlite3.connect(world.home / "records.db")
    reads = connection.execute("SELECT reader, what, version FROM reads ORDER BY reader").fetchall()
    connection.close()
    assert reads == [("e1//outputs/0", "outputs.a.value", 1), ("e1/b/run_if/0", "outputs.a.value", 1)]
    view = world.records.execution(ORGANIZATION, "e1")
    assert view is not None
    assert view.outputs == {"x": 1}


def test_outputs_that_cannot_be_typed_fail_the_execution(world: World) -> None:
    world.does = lambda down: (
        [EvaluationResult(down.ticket, '{"x":"many"}')] if isinstance(down, EvaluationJob)
        else [ended(down)] if isinstance(down, TaskJob) else []
    )  # fmt: skip
    world.run(task("a"), outputs=(FlowOutput("x", "INT", "{{ 'many' }}"),))
    view = world.records.execution(ORGANIZATION, "e1")
    assert view is not None
    assert (view.state, view.outputs) == ("FAILED", None)
    assert view.error.startswith("Failed to render output values: Invalid output for `x`,")


# -- what a job carries


def test_a_job_carries_only_the_outputs_that_its_expressions_name(world: World) -> None:
    reader = {"format": "{{ outputs.a.value }} {{ outputs['c'].value }}"}
    world.run(task("a"), task("b"), task("c"), task("d", properties=reader), task("e"))
    shipped = {one.place.task_name: one.variables["outputs"] for one in world.sent if isinstance(one, TaskJob)}
    assert shipped["d"] == {"a": OutputText('{"value":"a"}'), "c": OutputText('{"value":"c"}')}
    assert shipped["e"] == {}


def test_a_job_that_reads_all_outputs_gets_them(world: World) -> None:
    world.run(task("a"), task("b"), task("c", properties={"format": "{{ outputs }}"}))
    assert set(world.sent[-1].variables["outputs"]) == {"a", "b"}  # type: ignore[union-attr]


def test_outputs_that_fell_out_of_the_cache_come_from_the_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "CACHE_BYTES", 20)
    world.run(*chain(5), task("all", properties={"format": "{{ outputs }}"}),
              task("one", properties={"format": "{{ outputs.t0.value }}"}))  # fmt: skip
    every, one = [job for job in world.sent if isinstance(job, TaskJob)][-2:]
    assert set(every.variables["outputs"]) == {f"t{number}" for number in range(5)}
    assert one.variables["outputs"] == {"t0": OutputText('{"value":"t0"}')}


# -- time


def test_log_lines_are_written_while_the_task_runs(world: World) -> None:
    jobs: list[TaskJob] = []
    world.does = lambda down: jobs.append(down) or [line(down, "begun")] if isinstance(down, TaskJob) else []  # type: ignore[func-returns-value]
    world.own(task("a"))
    with running(world) as raised:
        until(lambda: jobs)
        until(lambda: world.records.logs(ORGANIZATION, "e1", None, ("INFO",), 0, 9))
        assert [one.message for one in world.told if isinstance(one, TaskLogged)] == ["begun"]
        assert world.states() == [("a", "RUNNING")]
        world.hands.tell(ended(jobs[0]))
    assert (raised, world.state()) == ([], "SUCCESS")


def test_a_kill_from_another_process_ends_it(world: World) -> None:
    def hold(down: Down) -> Sequence[Up]:
        if isinstance(down, Stop):
            return [ended(job, "KILLED") for job in world.sent if isinstance(job, TaskJob)]
        return []

    world.does = hold
    world.own(*chain(3))
    other = SqliteRecords(world.home, durable=False, now=1)
    with running(world) as raised:
        until(lambda: world.jobs())
        other.send("e1", "kill", "{}", 1)
        until(lambda: world.state() == "KILLED")
    stops = [one for one in world.sent if isinstance(one, Stop)]
    assert [one.reason for one in stops] == [KILLED]
    assert (raised, world.states()) == ([], [("t0", "KILLED")])
    assert world.records.unread(["e1"]) == ()
    other.close()


def test_a_kill_through_the_same_records_is_noticed_too(world: World) -> None:
    world.does = lambda down: (
        [ended(job, "KILLED") for job in world.sent if isinstance(job, TaskJob)] if isinstance(down, Stop) else []
    )
    world.own(task("a"))
    with running(world):
        until(lambda: world.jobs())
        world.records.send("e1", "kill", "{}", 1)
        until(lambda: world.state() == "KILLED")


def test_an_interrupt_kills_and_a_second_one_leaves(world: World) -> None:
    world.does = lambda down: []
    world.own(*chain(2))
    with running(world) as raised:
        until(lambda: world.jobs())
        world.engine.interrupt()
        until(lambda: world.state() == "KILLING")
        assert world.states() == [("t0", "KILLING")]
        world.engine.interrupt()
    assert (raised, world.state()) == ([], "KILLING")
    assert left_behind(world)


def test_an_execution_killed_before_it_began_runs_nothing(world: World) -> None:
    world.own(task("a"))
    world.records.send("e1", "kill", "{}", 1)
    world.engine.run()
    assert (world.state(), world.sent, world.states()) == ("KILLED", [], [])
    assert world.records.unread(["e1"]) == ()


def test_a_killed_engine_leaves_what_the_next_one_can_end(world: World) -> None:
    world.does = only_end
    flow = world.own(*chain(2))
    with running(world):
        until(lambda: world.jobs())
        world.engine.interrupt()
        world.engine.interrupt()
    world.engine = world.another("engine-1")
    world.engine.own("e1", flow, world.told.append, go_on=False)
    world.records.send("e1", "kill", "{}", 1)
    world.engine.run()
    assert (world.state(), world.states()) == ("KILLED", [("t0", "KILLED")])


def test_the_next_engine_goes_on_with_the_attempt_that_a_killed_one_left(world: World) -> None:
    world.does = lambda down: []
    flow = world.own(*chain(2))
    with running(world):
        until(lambda: world.jobs())
        world.engine.interrupt()
        world.engine.interrupt()
    world.does = succeed
    world.engine = world.another("engine-1")
    world.engine.own("e1", flow, world.told.append)
    world.engine.run()
    assert (world.state(), world.states()) == ("SUCCESS", [("t0", "SUCCESS"), ("t1", "SUCCESS")])
    first, again, _ = [job for job in world.sent if isinstance(job, TaskJob)]
    assert (again.attempt_id, again.attempt) == (first.attempt_id, 1)
