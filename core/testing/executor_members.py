"""What every executor keeps to with the job of a group: its members run in it, one after another."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

import pytest

from core.host.seam import LogLine, Member, MemberStarted, Metric, Progress, Stop, Up
from core.testing.near_side import KILLED, SECRET, NearSide


def say(name: str, text: str = "hello", **more: object) -> Member:
    return Member(name, "testing.Say", {"text": text}, **more)  # type: ignore[arg-type]


def broken(name: str, **more: object) -> Member:
    return Member(name, "testing.Break", {"how": "value"}, **more)  # type: ignore[arg-type]


def ended_holds(heard: list[Up]) -> int:
    """How many `testing.Hold` tasks came to their end."""
    return sum(isinstance(one, Progress) and one.message == "ended" for one in heard)


class MemberRules:
    """A part of `ExecutorContract`, whose fixtures it uses."""

    ends_by_force: ClassVar[bool]

    def ends_late(self, near: NearSide, gate: Path, tasks: int) -> None:
        """Let go the `testing.Hold` tasks that were given up: they end late and nobody minds, or were ended before."""
        gate.touch()
        expected = 0 if self.ends_by_force else tasks
        near.wait(lambda heard: ended_holds(heard) == expected)
        time.sleep(0.05)
        assert ended_holds(near.heard) == expected

    def test_members_run_in_their_order_and_each_has_a_result(self, near: NearSide) -> None:
        result = near.run_group(say("first", "a"), say("second", "b"))
        assert near.told_of_members() == [
            ("first", "began"), ("first", "SUCCESS"), ("second", "began"), ("second", "SUCCESS"),
        ]  # fmt: skip
        assert (result.state, result.output, result.error) == ("SUCCESS", None, "")
        first = near.member("first")
        assert (first.attempt_id, first.output, first.error) == ("one", '{"value":"a"}', "")
        began = [one.at for one in near.heard if isinstance(one, MemberStarted)]
        assert result.started_at <= began[0] <= first.ended_at <= began[1] <= result.ended_at

    def test_a_group_without_members_succeeds(self, near: NearSide) -> None:
        result = near.run_group()
        assert (near.told_of_members(), result.state, result.error) == ([], "SUCCESS", "")

    def test_members_share_a_directory(self, near: NearSide) -> None:
        near.run_group(
            Member("first", "testing.Leave", {"name": "a.txt", "text": "one"}),
            Member("second", "testing.Leave", {"name": "b.txt", "text": "two"}),
            Member("third", "testing.Leave", {"name": "c.txt"}),
        )
        assert near.member("first").output == '{"found":{}}'
        assert near.member("third").output == '{"found":{"a.txt":"one","b.txt":"two"}}'

    def test_a_member_reads_the_outputs_of_those_before_it(self, near: NearSide) -> None:
        near.run_group(say("first", "a"), say("second", "{{ outputs.first.value }}!"))
        second = near.member("second")
        assert (second.output, [read.what for read in second.reads]) == ('{"value":"a!"}', ["outputs.first.value"])

    def test_a_failure_stops_those_behind(self, near: NearSide) -> None:
        result = near.run_group(say("first"), broken("second"), say("third"))
        assert near.told_of_members() == [
            ("first", "began"), ("first", "SUCCESS"), ("second", "began"), ("second", "FAILED"),
        ]  # fmt: skip
        assert (result.state, result.error) == ("FAILED", "the task `second` failed")

    @pytest.mark.parametrize(("allow_warning", "state"), [(False, "WARNING"), (True, "SUCCESS")])
    def test_a_failure_that_is_allowed_stops_nobody(self, near: NearSide, allow_warning: bool, state: str) -> None:
        result = near.run_group(broken("first", allow_failure=True, allow_warning=allow_warning), say("second"))
        assert near.told_of_members()[1:] == [("first", "FAILED"), ("second", "began"), ("second", "SUCCESS")]
        assert (result.state, result.error) == (state, "" if allow_warning else "the task `first` ended with a warning")

    def test_a_member_whose_condition_does_not_hold_is_skipped(self, near: NearSide) -> None:
        members = (say("first", "no"), say("second", run_if="{{ outputs.first.value == 'yes' }}"), say("third"))
        assert near.run_group(*members).state == "SUCCESS"
        assert near.told_of_members()[2:] == [("second", "SKIPPED"), ("third", "began"), ("third", "SUCCESS")]

    def test_a_condition_that_cannot_be_rendered_fails_its_member(self, near: NearSide) -> None:
        result = near.run_group(say("first", run_if="{{ nope }}"), say("second"))
        assert near.told_of_members() == [("first", "FAILED")]
        assert near.member("first").error.startswith("$.runIf: ")
        assert (result.state, result.error) == ("FAILED", "the task `first` failed")

    def test_what_is_said_bears_the_name_of_the_member(self, near: NearSide) -> None:
        near.run_group(say("first", "a"), say("quiet", "b", log_level="WARN"), broken("last"))
        said = [(one.attempt_id, one.task_name) for one in near.heard if isinstance(one, (LogLine, Metric, Progress))]
        assert said == [
            *[("one", "first")] * 3, *[("one", "quiet")] * 2, *[("one", "last")] * 2, ("one", ""),
        ]  # fmt: skip
        lines = [one for one in near.heard if isinstance(one, LogLine)]
        assert (lines[0].task_name, lines[0].message) == ("first", "a")
        assert (lines[-1].task_name, lines[-1].level, lines[-1].message) == ("", "ERROR", "the task `last` failed")

    def test_a_killed_group_ends_its_member_and_begins_no_other(self, near: NearSide, gate: Path) -> None:
        near.send_group(Member("first", "testing.Hold", {"until": str(gate)}), say("second"))
        near.begins(1)
        near.executor.send(Stop("one", KILLED))
        result = near.result("one")
        assert (result.state, result.error) == ("KILLED", KILLED)
        assert near.told_of_members() == [("first", "began"), ("first", "KILLED")]

    def test_a_deaf_member_does_not_hold_up_a_kill(self, near: NearSide, gate: Path) -> None:
        near.send_group(Member("first", "testing.Hold", {"until": str(gate), "deaf": True}), say("second"))
        near.begins(1)
        near.executor.send(Stop("one", KILLED))
        assert near.result("one").state == "KILLED"
        self.ends_late(near, gate, 1)
        assert ("second", "began") not in near.told_of_members()
        assert len(near.results("one")) == 1

    def test_a_member_has_a_time_limit_of_its_own(self, near: NearSide, gate: Path) -> None:
        slow = Member("first", "testing.Hold", {"until": str(gate)}, timeout="PT0.1S", allow_failure=True)
        assert near.run_group(slow, say("second")).state == "WARNING"
        assert near.told_of_members()[1:] == [("first", "FAILED"), ("second", "began"), ("second", "SUCCESS")]
        assert near.member("first").error == "Timeout: the task took longer than 0.1 s"

    def test_a_member_that_ignores_its_time_limit_fails_the_group(self, near: NearSide, gate: Path) -> None:
        deaf = Member("first", "testing.Hold", {"until": str(gate), "deaf": True}, timeout="PT0.1S")
        result = near.run_group(deaf, say("second"))
        why = "the task `first` does not stop. Timeout: the task took longer than 0.1 s"
        assert (result.state, result.error) == ("FAILED", why)

    def test_the_time_limit_of_a_group_ends_its_member(self, near: NearSide, gate: Path) -> None:
        result = near.run_group(Member("first", "testing.Hold", {"until": str(gate)}), say("second"), timeout="PT0.1S")
        why = "Timeout: the task took longer than 0.1 s"
        assert (result.state, result.error, near.member("first").error) == ("FAILED", why, why)
        assert near.told_of_members() == [("first", "began"), ("first", "FAILED")]

    def test_a_secret_that_one_member_used_is_hidden_in_all(self, near: NearSide) -> None:
        near.run_group(
            Member("first", "testing.Leave", {"name": "file", "text": "{{ secret('TOKEN') }}"}),
            Member("second", "testing.Leave", {"name": "other"}),
            say("third", "{{ outputs.second.found.file }}"),
        )
        assert near.member("second").output == '{"found":{"file":{"$secret":[["TOKEN"]]}}}'
        assert SECRET not in repr(near.heard)
