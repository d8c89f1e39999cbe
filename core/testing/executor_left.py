"""What every executor keeps to with jobs that only end what is left of an attempt whose engine died."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.host.seam import LogLine, Member, Stop, TaskJob, TaskResult
from core.testing.near_side import KILLED, PLACE, SECRET, NearSide

FAILED = "what the task had left running could not be ended: "


def lines(near: NearSide) -> list[tuple[str, str, str]]:
    """Whose they are, how grave, and what they say."""
    return [(one.task_name, one.level, one.message) for one in near.heard if isinstance(one, LogLine)]


def left(attempt: str = "one", kind: str = "testing.Outlive", **properties: Any) -> TaskJob:
    return TaskJob(attempt, 1, PLACE, kind, properties, {"inputs": {"n": 3}}, ends=True)


class LeftRules:
    """A part of `ExecutorContract`, whose fixtures it uses."""

    def ended(self, near: NearSide, job: TaskJob) -> TaskResult:
        near.executor.send(job)
        return near.result(job.attempt_id)

    def test_what_is_left_of_an_attempt_is_ended_and_nothing_is_begun(self, near: NearSide) -> None:
        result = self.ended(near, left(text="n is {{ inputs.n }}"))
        assert (result.state, result.error, result.output) == ("KILLED", KILLED, None)
        assert lines(near) == [("", "INFO", "ended one: n is 3")]

    def test_a_type_that_leaves_nothing_is_killed_at_once(self, near: NearSide) -> None:
        result = self.ended(near, left(kind="testing.Say", text="never"))
        assert (result.state, result.error, lines(near)) == ("KILLED", KILLED, [])

    def test_what_can_not_be_rendered_any_more_stays_as_it_is(self, near: NearSide) -> None:
        self.ended(near, left(text="{{ inputs.nope }}", count="{{ inputs.nope }}"))
        assert lines(near) == [("", "INFO", "ended one: {{ inputs.nope }}")]

    def test_what_can_not_be_ended_is_a_warning_and_killed_all_the_same(self, near: NearSide) -> None:
        for number, how in enumerate(("unreachable", "value", "exit")):
            result = self.ended(near, left(str(number), text=how, secret="{{ secret('TOKEN') }}"))
            assert (result.state, result.error) == ("KILLED", KILLED)
        assert self.ended(near, left("gone", kind="testing.Nothing")).state == "KILLED"
        warnings = [(level, message.partition("\n")[0]) for _, level, message in lines(near)]
        assert warnings == [
            ("WARN", f"{FAILED}nobody answers ••••"),
            ("WARN", f"{FAILED}ValueError: not my day"),
            ("WARN", f"{FAILED}SystemExit: not my day"),
            ("WARN", f"{FAILED}there is no type `testing.Nothing`"),
        ]
        assert SECRET not in repr(near.heard)

    def test_what_is_left_is_ended_while_every_worker_is_busy(self, near: NearSide, gate: Path) -> None:
        for name in ("h1", "h2"):
            near.send("testing.Hold", name, until=str(gate))
        near.begins(2)
        near.send("testing.Say", "waits", text="waits")
        assert self.ended(near, left()).state == "KILLED"
        assert near.results("waits") == []
        gate.touch()
        assert {near.result(name).state for name in ("h1", "h2", "waits")} == {"SUCCESS"}

    def test_a_job_that_was_begun_before_and_is_stopped_while_it_waits_is_ended_so(
        self, near: NearSide, gate: Path
    ) -> None:
        for name in ("h1", "h2"):
            near.send("testing.Hold", name, until=str(gate))
        near.begins(2)
        for name, again in (("new", False), ("old", True)):
            near.executor.send(TaskJob(name, 1, PLACE, "testing.Outlive", {"text": "x"}, {}, again=again))
            near.executor.send(Stop(name, KILLED))
            assert (near.result(name).state, near.result(name).error) == ("KILLED", KILLED)
        assert lines(near) == [("", "INFO", "ended old: x")]
        gate.touch()
        assert near.run("testing.Say", "last", text="last").state == "SUCCESS"
        assert [len(near.results(name)) for name in ("new", "old")] == [1, 1]

    @pytest.mark.parametrize(("how", "why"), [("unreachable", "nobody answers "), ("value", "ValueError: not my day")])
    def test_of_a_group_every_member_is_asked_under_the_name_it_had(self, near: NearSide, how: str, why: str) -> None:
        members = (
            Member("first", "testing.Outlive", {"text": how}),
            Member("second", "testing.Outlive", {"text": "{{ outputs.first.value }}"}),
            Member("third", "testing.Say", {"text": "never"}),
        )
        known = {"taskrun": {"id": "task-execution"}, "outputs": {}}
        job = TaskJob("one", 1, PLACE, "flow.WorkingDirectory", {}, known, members=members, ends=True)
        assert self.ended(near, job).state == "KILLED"
        assert lines(near) == [
            ("", "INFO", "ended one-second: {{ outputs.first.value }}"), ("", "WARN", f"{FAILED}{why}"),
        ]  # fmt: skip
        assert near.told_of_members() == []
