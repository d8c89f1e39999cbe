"""What every executor keeps to. Inherit, and give an executor:

class TestMine(ExecutorContract):
    def make(self, tell: Callable[[Up], None], app: App) -> Executor:
        return MyExecutor(tell, app.tools(), workers=2, grace=self.grace)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any, ClassVar

import pytest

import core.testing.executor_tasks as executor_tasks
from core.app import App
from core.host.executor import Executor
from core.host.seam import (
    Answer,
    EvaluationResult,
    LogLine,
    Metric,
    Progress,
    Question,
    Read,
    Stop,
    TaskJob,
    TaskResult,
    Up,
)
from core.testing.apps import temporary_app
from core.testing.executor_left import LeftRules
from core.testing.executor_members import MemberRules
from core.testing.near_side import KILLED, PLACE, SECRET, NearSide

AUTHOR = "\n  to do: tell its author; the log at level DEBUG says where it happened"


class ExecutorContract(MemberRules, LeftRules):
    """Inherit in a class whose name begins with `Test`, and override `make`.

    ends_by_force: whether a task that ignores its stop is ended; else it is left behind. task_files: Python files with
    the types that jobs are of; the app finds them in its folder of plugins, so that other processes find them too.
    """

    grace = 0.3
    ends_by_force: ClassVar[bool] = False
    task_files: ClassVar[tuple[str, ...]] = (executor_tasks.__file__,)

    def make(self, tell: Callable[[Up], None], app: App) -> Executor:
        """An executor with two workers that gives up on a task `grace` seconds after it was stopped."""
        raise NotImplementedError

    @pytest.fixture
    def near(self, tmp_path: Path) -> Iterator[NearSide]:
        types = tmp_path / "types"
        types.mkdir()
        for file in self.task_files:
            copy(file, types)
        with temporary_app(secrets={"TOKEN": SECRET}, plugins_dir=types) as app:
            near = NearSide()
            near.executor = self.make(near.tell, app)
            yield near
            near.executor.close()

    @pytest.fixture
    def gate(self, tmp_path: Path) -> Iterator[Path]:
        """The file that lets `testing.Hold` tasks end; it exists after the test, whatever happened."""
        yield tmp_path / "gate"
        (tmp_path / "gate").touch()

    # -- jobs

    def test_a_job_ends_in_one_result_with_its_output(self, near: NearSide) -> None:
        result = near.run("testing.Say", text="{{ outputs.before.value }} {{ inputs.n }}")
        assert (result.state, result.output, result.error) == ("SUCCESS", '{"value":"seen 3"}', "")
        assert (result.size, result.preview, result.summary) == (18, '{"value":"seen 3"}', {"value": "seen 3"})
        assert result.reads == (Read("inputs.n"), Read("outputs.before.value", "before"))
        assert result.started_at <= result.ended_at

    def test_what_a_task_tells_comes_before_its_result(self, near: NearSide) -> None:
        near.run("testing.Say", text="hello")
        line, metric, progress, result = near.heard
        assert isinstance(line, LogLine)
        assert isinstance(metric, Metric)
        assert isinstance(result, TaskResult)
        assert (line.attempt_id, line.level, line.message) == ("one", "INFO", "hello")
        assert (metric.name, metric.kind, metric.value, metric.tags) == ("length", "counter", 5.0, {"text": "hello"})
        assert progress == Progress("one", "hello", 0.5)

    def test_a_type_that_does_not_exist_fails_its_job(self, near: NearSide) -> None:
        result = near.run("testing.Nothing")
        assert result.state == "FAILED"
        assert result.error.startswith("there is no type `testing.Nothing`")

    def test_a_property_that_cannot_be_rendered_fails_its_job(self, near: NearSide) -> None:
        result = near.run("testing.Say", text="{{ inputs.nope }}")
        assert result.state == "FAILED"
        assert result.error.startswith("$.text: ")

    @pytest.mark.parametrize(
        ("how", "name"),
        [
            ("value", "ValueError"), ("exit", "SystemExit"), ("interrupt", "KeyboardInterrupt"),
            ("generator", "GeneratorExit"), ("memory", "MemoryError"), ("recursion", "RecursionError"),
        ],
    )  # fmt: skip
    def test_whatever_a_task_raises_becomes_its_result(self, near: NearSide, how: str, name: str) -> None:
        result = near.run("testing.Break", how=how)
        told = f"the task type testing.Break has an error of its own: {name}: not my day{AUTHOR}"
        assert (result.state, result.error) == ("FAILED", told)
        lines = [(one.level, one.message) for one in near.heard if isinstance(one, LogLine)]
        assert lines[0][0] == "DEBUG"
        assert lines[0][1].startswith("Traceback (most recent call last):")
        assert lines[1:] == [("ERROR", told)]
        assert near.run("testing.Say", "two", text="next").state == "SUCCESS"

    @pytest.mark.parametrize("what", ["object", "loop"])
    def test_an_output_that_cannot_be_recorded_fails_its_job(self, near: NearSide, what: str) -> None:
        result = near.run("testing.Odd", what=what)
        assert (result.state, result.output) == ("FAILED", None)

    def test_keys_that_are_no_texts_become_texts(self, near: NearSide) -> None:
        result = near.run("testing.Odd", what="keys")
        assert (result.state, result.error) == ("WARNING", "")
        assert result.output == f'{{"1":2,"null":3,"n":1{"0" * 400}}}'
        assert result.summary == {"1": 2, "null": 3, "n": 10**400}

    def test_a_summary_that_breaks_costs_only_the_summary(self, near: NearSide) -> None:
        result = near.run("testing.NoSummary")
        assert (result.state, result.output, result.summary) == ("SUCCESS", '{"exitCode":0}', {})
        failed = near.run("testing.NoSummary", "two", fail=True)
        assert (failed.state, failed.error, failed.output, failed.summary) == (
            "FAILED", "no luck", '{"exitCode":3}', {},
        )  # fmt: skip

    def test_jobs_run_side_by_side_and_no_more_than_there_are_workers(self, near: NearSide, gate: Path) -> None:
        for number in range(5):
            near.send("testing.Hold", f"h{number}", until=str(gate))
        near.begins(2)
        time.sleep(0.1)
        assert len(near.heard) == 2
        gate.touch()
        assert {near.result(f"h{number}").state for number in range(5)} == {"SUCCESS"}
        running = most = 0
        for one in near.heard:
            if isinstance(one, Progress):
                running += 1 if one.message == "began" else -1
                most = max(most, running)
        assert most == 2

    def test_many_jobs_give_one_result_each(self, near: NearSide) -> None:
        for number in range(200):
            near.send("testing.Say", f"s{number}", text=str(number))
        outputs = [near.result(f"s{number}").output for number in range(200)]
        assert outputs == [f'{{"value":"{number}"}}' for number in range(200)]
        assert sum(isinstance(one, TaskResult) for one in near.heard) == 200

    def test_a_large_output_is_stored_and_named(self, near: NearSide) -> None:
        result = near.run("testing.Say", text="x" * 70_000)
        assert (result.state, result.output, result.size) == ("SUCCESS", None, 70_012)
        assert result.output_uri == "storage:///own/task/output.json"
        assert result.files == ((result.output_uri, result.size, result.sha256),)

    def test_a_task_that_waits_gives_its_worker_back_and_is_called_again(self, near: NearSide) -> None:
        for name in ("w1", "w2"):
            waits = near.run("testing.Twice", name)
            assert (waits.state, waits.due_at - waits.started_at >= 60_000_000) == ("RUNNING", True)
        assert near.run("testing.Say", text="meanwhile").state == "SUCCESS"
        near.heard.clear()
        near.executor.send(TaskJob("w1", 1, PLACE, "testing.Twice", {}, {}, waited=waits.wait_state))
        assert near.result("w1").output == '{"waited":{"began":"there"}}'

    # -- questions and evaluations

    def test_a_question_gets_the_engines_answer(self, near: NearSide) -> None:
        near.answer = lambda asked: Answer(asked.question_id, [True, {"x": 1}])
        result = near.run("testing.Say", text="{{ kv('k').x }}")
        asked = next(one for one in near.heard if isinstance(one, Question))
        assert (asked.place, asked.what) == (PLACE, "kv")
        assert asked.arguments == {"namespace": "company.team", "key": "k", "inherit": True}
        assert (result.output, result.reads) == ('{"value":"1"}', (Read("kv:company.team/k"),))

    def test_a_question_that_cannot_be_answered_fails_its_job(self, near: NearSide) -> None:
        result = near.run("testing.Say", text="{{ kv('k') }}")
        assert result.state == "FAILED"
        assert "not known" in result.error

    def test_an_evaluation_gives_a_text_and_what_it_read(self, near: NearSide) -> None:
        assert near.evaluate("{{ inputs.n }}") == EvaluationResult(7, '"3"', "", (Read("inputs.n"),))

    def test_a_typed_evaluation_keeps_types_inside_maps(self, near: NearSide) -> None:
        assert near.evaluate({"a": ["{{ inputs.n }}"], "b": "x"}, typed=True).value == '{"a":[3],"b":"x"}'

    def test_an_evaluation_that_fails_says_why(self, near: NearSide) -> None:
        result = near.evaluate("{{ inputs.nope }}")
        assert result.value is None
        assert "inputs.nope" in result.error

    # -- stopping

    def test_a_stopped_job_is_killed(self, near: NearSide, gate: Path) -> None:
        near.send("testing.Hold", until=str(gate))
        near.begins(1)
        near.executor.send(Stop("one", KILLED))
        result = near.result("one")
        assert (result.state, result.error) == ("KILLED", KILLED)

    def test_a_job_that_waits_for_a_worker_is_killed_at_once_and_never_runs(self, near: NearSide, gate: Path) -> None:
        for name in ("h1", "h2"):
            near.send("testing.Hold", name, until=str(gate), deaf=True)
        near.begins(2)
        near.send("testing.Say", "waits", text="never")
        near.executor.send(Stop("waits", KILLED))
        assert near.result("waits").state == "KILLED"
        gate.touch()
        assert {near.result("h1").state, near.result("h2").state} == {"SUCCESS"}
        assert near.run("testing.Say", "last", text="last").state == "SUCCESS"
        assert [one.message for one in near.heard if isinstance(one, LogLine)].count("never") == 0

    def test_a_stop_for_nobody_does_nothing(self, near: NearSide) -> None:
        near.executor.send(Stop("nobody", KILLED))
        assert near.run("testing.Say", text="hello").state == "SUCCESS"
        near.executor.send(Stop("one", KILLED))
        assert near.run("testing.Say", "two", text="hello").state == "SUCCESS"
        assert [one for one in near.heard if isinstance(one, TaskResult)] == [
            *near.results("one"), *near.results("two"),
        ]  # fmt: skip

    def test_a_job_that_ignores_its_stop_is_given_up(self, near: NearSide, gate: Path) -> None:
        for name in ("h1", "h2"):
            near.send("testing.Hold", name, until=str(gate), deaf=True)
        near.begins(2)
        begun = time.monotonic()
        for name in ("h1", "h2"):
            near.executor.send(Stop(name, KILLED))
        assert {near.result("h1").state, near.result("h2").state} == {"KILLED"}
        assert self.grace * 0.9 < time.monotonic() - begun < self.grace + 60
        assert near.run("testing.Say", "next", text="next").state == "SUCCESS", "its worker was not given back"
        self.ends_late(near, gate, 2)
        assert [len(near.results(name)) for name in ("h1", "h2")] == [1, 1]

    @pytest.mark.parametrize("stop", [{"slowToStop": 30}, {"brokenStop": True}], ids=["slow", "broken"])
    def test_what_a_task_does_to_stop_holds_nobody_up(self, near: NearSide, gate: Path, stop: dict[str, Any]) -> None:
        near.send("testing.Hold", until=str(gate), **stop)
        near.begins(1)
        begun = time.monotonic()
        near.executor.send(Stop("one", KILLED))
        assert time.monotonic() - begun < 20
        assert near.result("one").state == "KILLED"

    def test_closing_stops_what_runs_and_drops_what_waits(self, near: NearSide, gate: Path) -> None:
        for name in ("h1", "h2", "waits"):
            near.send("testing.Hold", name, until=str(gate))
        near.begins(2)
        near.executor.close()
        near.wait(lambda heard: sum(isinstance(one, Progress) and one.message == "ended" for one in heard) == 2)
        time.sleep(0.05)
        assert sum(isinstance(one, Progress) and one.message == "began" for one in near.heard) == 2

    # -- time limits

    @pytest.mark.parametrize("limit", ["PT0.1S", "PT{{ 0.1 }}S"])
    def test_a_job_that_takes_too_long_fails(self, near: NearSide, gate: Path, limit: str) -> None:
        near.send("testing.Hold", timeout=limit, until=str(gate))
        result = near.result("one")
        assert (result.state, result.error) == ("FAILED", "Timeout: the task took longer than 0.1 s")

    def test_a_job_that_ignores_its_time_limit_fails_all_the_same(self, near: NearSide, gate: Path) -> None:
        near.send("testing.Hold", timeout="PT0.1S", until=str(gate), deaf=True)
        result = near.result("one")
        assert (result.state, result.error) == ("FAILED", "Timeout: the task took longer than 0.1 s")

    @pytest.mark.parametrize("limit", ["P100000000D", "PT9999999999999999S"])
    def test_a_time_limit_of_ages_is_a_time_limit_or_refused(self, near: NearSide, limit: str) -> None:
        near.send("testing.Say", timeout=limit, text="hello")
        assert near.result("one").state in ("SUCCESS", "FAILED")

    def test_a_time_limit_below_zero_is_refused(self, near: NearSide) -> None:
        near.send("testing.Say", timeout="-PT5S", text="never")
        told = "$.timeout: `-PT5S` is less than no time\n  expected: a duration such as PT30S"
        assert (near.result("one").state, near.result("one").error) == ("FAILED", told)

    def test_a_wrong_time_limit_fails_before_the_task_begins(self, near: NearSide) -> None:
        near.send("testing.Say", timeout="{{ 'soon ' ~ secret('TOKEN') }}", text="never")
        result = near.result("one")
        assert result.state == "FAILED"
        assert result.error.startswith("$.timeout: ")
        assert "soon ••••" in result.error
        assert SECRET not in repr(near.heard)

    # -- secrets

    @pytest.mark.parametrize("fail", [False, True])
    def test_a_secret_is_told_nowhere(self, near: NearSide, fail: bool) -> None:
        result = near.run("testing.Tell", secret="{{ secret('TOKEN') }}", fail=fail)
        assert result.state == ("FAILED" if fail else "WARNING")
        assert "before •••• after" in result.error
        assert '"text":{"$secret":["before ",["TOKEN"]," after"]}' in str(result.output)
        assert SECRET not in repr(near.heard)
