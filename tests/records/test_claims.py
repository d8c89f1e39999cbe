"""What an engine may claim: what a dead one left, what nobody owns and was told something, what came due."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.host.records import ExecutionIdentity, NewExecution, TaskIdentity, Unit
from core.model.decisions import Counters, Decision, EndTask, HoldTask, MoveExecution, MoveTask, OpenTask
from core.model.messages import ROOT, TaskKey
from core.records import SqliteRecords

NOW = 1_000_000_000
SECOND = 1_000_000
A = TaskKey("a")


class Claims:
    """Records with an engine `own`, and executions in all kinds of states."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.records = SqliteRecords(home, durable=False, now=1)
        self.records.register_engine("own", 1)

    def new(self, name: str, *, at: int = 1, due: int = 0, first: str = "start", organization: str = "default") -> None:
        self.records.create_execution(
            NewExecution(name, organization, "n", "f", 1, "{}", {}, (), at, due_at=due, first=(first, "{}"))
        )

    def begun(self, name: str, engine: str, *, held: bool = False, due: int = 0, state: str = "RUNNING") -> int:
        """One that an engine has begun, with one task that runs or waits; its fence."""
        self.new(name)
        opened = self.records.claim(name, engine)
        seqs = tuple(row[0] for row in self.records.unread([name]))
        note = "held" if held else ""
        changes = (
            MoveExecution(state, Counters(1, 1, note=note), entered=True),
            OpenTask(A, ROOT, "RUNNING", None, attempt=True),
            *((HoldTask(A, due),) if due else ()),
        )
        self.write(name, opened.fence, *changes, done=seqs)
        return opened.fence

    def write(self, name: str, fence: int, *changes: object, done: tuple[int, ...] = ()) -> None:
        named = {A: TaskIdentity(f"{name}-a", "debug.Return", None, 1, f"{name}-a-1")}
        place = ExecutionIdentity(name, "default", "n", "f", 1)
        unit = Unit(place, fence, Decision(tuple(changes)), 5, named, done=done)  # type: ignore[arg-type]
        assert self.records.commit([unit]) == ()

    def kill(self, engine: str) -> None:
        """The process of an engine is gone."""
        self.records._engines.pop(engine).close()

    def claimable(self, *, now: int = NOW, limit: int = 100) -> list[str]:
        return [execution for _, execution in self.records.claimable("own", now, limit)]


@pytest.fixture
def claims(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Claims(tmp_path)
    yield made
    made.records.close()


def test_what_is_new_may_be_claimed_of_all_organizations_the_oldest_first_and_no_more_than_asked(claims: Claims) -> None:
    for name, organization in (("e2", "default"), ("e1", "other"), ("e3", "default")):
        claims.new(name, organization=organization)
    assert claims.records.claimable("own", NOW) == (("other", "e1"), ("default", "e2"), ("default", "e3"))
    assert claims.claimable(limit=2) == ["e1", "e2"]


@pytest.mark.parametrize("first", ["start", "restart"])
def test_what_was_created_a_moment_ago_is_its_creators_until_one_message_more_is_there(
    claims: Claims, first: str
) -> None:
    claims.new("e1", at=NOW, first=first)
    assert (claims.claimable(), claims.claimable(now=NOW + SECOND)) == ([], ["e1"])
    claims.records.send("e1", "start", "{}", NOW)
    assert claims.claimable() == ["e1"]


def test_what_is_to_begin_later_may_be_claimed_then_or_when_it_is_asked_for(claims: Claims) -> None:
    claims.new("e1", due=NOW + 5)
    claims.new("e2", due=NOW + 5)
    claims.records.send("e2", "kill", "{}", NOW)
    assert (claims.claimable(), claims.claimable(now=NOW + 5)) == (["e2"], ["e1", "e2"])


def test_what_rests_may_be_claimed_when_a_message_comes_or_a_time(claims: Claims) -> None:
    for name in ("e1", "e2"):
        claims.records.release(name, claims.begun(name, "own", due=NOW + 5, state="RUNNING"))
    assert claims.claimable() == []
    claims.records.send("e2", "resume", "{}", NOW)
    assert (claims.claimable(), claims.claimable(now=NOW + 5)) == (["e2"], ["e1", "e2"])


def test_nothing_comes_due_while_somebody_pauses_it(claims: Claims) -> None:
    claims.records.release("e1", claims.begun("e1", "own", due=1, held=True, state="PAUSED"))
    claims.records.release("e2", claims.begun("e2", "own", due=1, state="PAUSED"))
    assert claims.claimable() == ["e2"]


def test_a_task_that_has_ended_is_not_due(claims: Claims) -> None:
    fence = claims.begun("e1", "own", due=1)
    claims.write("e1", fence, EndTask(A, "SUCCESS"))
    claims.records.release("e1", fence)
    assert claims.claimable() == []


def test_what_has_ended_may_be_claimed_for_a_restart(claims: Claims) -> None:
    fence = claims.begun("e1", "own")
    claims.write("e1", fence, EndTask(A, "FAILED"), MoveExecution("FAILED", Counters(1), entered=True))
    claims.records.release("e1", fence)
    assert claims.claimable() == []
    claims.records.send("e1", "restart", "{}", NOW)
    assert claims.claimable() == ["e1"]


def test_what_a_living_engine_owns_is_left_to_it(claims: Claims) -> None:
    claims.records.register_engine("other", 1)
    for name, engine in (("e1", "own"), ("e2", "other")):
        claims.begun(name, engine)
        claims.records.send(name, "kill", "{}", NOW)
    assert claims.claimable() == []


def test_what_a_dead_engine_owned_may_be_claimed_at_once_unless_it_has_ended_or_is_to_begin_later(claims: Claims) -> None:
    claims.records.register_engine("dead", 1)
    claims.begun("e1", "dead")
    claims.new("e2")
    claims.records.claim("e2", "dead")
    claims.new("e3", due=NOW + 5)
    claims.records.claim("e3", "dead")
    fence = claims.begun("e4", "dead")
    claims.write("e4", fence, EndTask(A, "SUCCESS"), MoveExecution("SUCCESS", Counters(1), entered=True))
    claims.kill("dead")
    assert (claims.claimable(), claims.claimable(now=NOW + 5)) == (["e1", "e2"], ["e1", "e2", "e3"])
    claims.records.send("e4", "restart", "{}", NOW)
    assert claims.claimable() == ["e1", "e2", "e4"]


def test_engines_that_are_gone_are_counted_until_something_is_decided(claims: Claims) -> None:
    fence = 0
    for number in range(3):
        claims.records.register_engine(f"engine-{number}", 1)
        opened = claims.records.claim("e1", f"engine-{number}") if number else None
        fence = opened.fence if opened else claims.begun("e1", "engine-0")
        assert (opened.takeovers if opened else 0, fence) == (number, number + 1)
        claims.kill(f"engine-{number}")
    claims.write("e1", fence)  # log lines, say: nothing was decided
    claims.records.register_engine("last", 1)
    opened = claims.records.claim("e1", "last")
    assert opened.takeovers == 3
    claims.write("e1", opened.fence, MoveTask(A, "RUNNING", None, entered=True))  # within a group, say
    claims.kill("last")
    assert claims.records.claim("e1", "own").takeovers == 1


def test_an_engine_that_leaves_in_order_is_not_counted(claims: Claims) -> None:
    claims.records.register_engine("other", 1)
    claims.begun("e1", "other")
    claims.records.forget_engine("other")
    assert claims.claimable() == ["e1"]
    assert claims.records.claim("e1", "own").takeovers == 0
