"""What record stores keep to between executions, and between readers and what they read: part of
`RecordStoreContract`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import Conflict, NotFound
from core.host.records import ChildRow, ExecutionIdentity, NewExecution, ParentLink, RecordStore, Refused
from core.host.seam import Read
from core.model.decisions import Counters, EndTask, FreeSlot, MoveExecution, OpenTask, Remember
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.testing.record_continuing import text_of, view_of
from core.testing.record_story import ACME, ENGINE, TEAM, Story

A, B, CALL = TaskKey("a"), TaskKey("b"), TaskKey("call", ("x",), 2)
RUNS = MoveExecution("RUNNING", Counters(), "", entered=True)


class QueueRules:
    """Executions of a flow that may not all run at once."""

    @pytest.mark.parametrize("state", ["RUNNING", "PAUSED", "RETRYING", "KILLING", "RESTARTED"])
    def test_what_runs_or_is_held_takes_a_slot(self, store: RecordStore, state: str) -> None:
        Story(store).move(state)
        Story(store, "e2", flow_id="another").move(state)
        second = Story(store, "e3")
        assert second.commit(RUNS, guards=(FreeSlot(TEAM, "flow", 1),)) == (
            Refused("e3", f"no free slot in {TEAM}.flow", "slot"),
        )
        assert second.commit(RUNS, guards=(FreeSlot(TEAM, "flow", 2),)) == ()

    @pytest.mark.parametrize("state", ["QUEUED", "SUCCESS", "CANCELLED", "RETRIED"])
    def test_what_waits_without_an_engine_or_has_ended_takes_none(self, store: RecordStore, state: str) -> None:
        Story(store).move(state)
        assert Story(store, "e2").commit(RUNS, guards=(FreeSlot(TEAM, "flow", 1),)) == ()

    def test_first_in_first_out_among_those_whose_engine_lives(self, store: RecordStore) -> None:
        store.register_engine(ENGINE, 1)
        first, dead, third = Story(store), Story(store, "e2", engine="dead"), Story(store, "e3")
        for story in (first, dead, third):
            story.move("QUEUED")
        late = Story(store, "e4")
        guards = (FreeSlot(TEAM, "flow", 2),)
        assert store.queued(ACME, TEAM, "flow") == ("e1", "e3")
        assert [refused.kind for refused in late.commit(RUNS, guards=guards)] == ["slot"]
        assert third.commit(RUNS, guards=guards) == ()
        assert [refused.kind for refused in late.commit(RUNS, guards=guards)] == ["slot"]
        assert first.commit(RUNS, guards=guards) == ()
        assert store.queued(ACME, TEAM, "flow") == ()

    def test_an_owner_is_told_the_order_in_which_slots_are_given(self, store: RecordStore) -> None:
        """Not that of the clocks: who creates one looks at his before he waits for others to have written."""
        first, second = Story(store, at=2000), Story(store, "e2", at=1000)
        assert first.found().seq < second.found().seq


def _link(index: int = 0, **more: Any) -> ParentLink:
    return ParentLink("e1", "e1-call", CALL, index, **more)


def _told(store: RecordStore) -> list[Any]:
    return [json.loads(payload) for _, _, kind, payload in store.unread(["e1"]) if kind == "child_ended"]


class FamilyRules:
    """Child executions, and executions derived from others."""

    def test_a_child_is_created_once(self, store: RecordStore) -> None:
        Story(store)
        assert Story(store, "c1", parent=_link()).created
        assert not Story(store, "c2", parent=_link(), claimed=False).created
        assert Story(store, "c3", parent=_link(1)).created
        assert Story(store, "c4", parent=_link(attempt=2)).created
        assert (store.execution(ACME, "c2"), store.unread(["c2"])) == (None, ())
        assert [(row.index, row.execution_id) for row in store.children_of("e1-call")] == [(0, "c4"), (1, "c3")]

    def test_a_child_knows_its_parent(self, store: RecordStore) -> None:
        link = _link(3, wait=False, attempt=2)
        Story(store, "c1", parent=link)
        view = store.execution(ACME, "c1")
        assert view is not None
        assert (store.parent_of("c1"), store.claim("c1", ENGINE).parent, view.parent_id) == (link, link, "e1")
        Story(store)
        assert (store.parent_of("e1"), store.claim("e1", ENGINE).parent) == (None, None)

    def test_the_end_of_a_child_is_told_in_the_same_commit(self, store: RecordStore) -> None:
        Story(store)
        child = Story(store, "c1", parent=_link(1))
        child.move("RUNNING")
        assert _told(store) == []
        store.changed()
        child.move("FAILED", "no luck", outputs_json='{"x":1}')
        assert _told(store) == [{"task": ["call", ["x"], 2], "index": 1, "execution_id": "c1", "state": "FAILED"}]
        assert store.changed()
        assert store.children_of("e1-call") == (ChildRow(1, "c1", "FAILED", '{"x":1}', "no luck"),)

    def test_a_refused_end_is_not_told(self, store: RecordStore) -> None:
        Story(store)
        child = Story(store, "c1", parent=_link())
        refused = child.commit(MoveExecution("SUCCESS", Counters(), "", True), EndTask(A, "SUCCESS"))
        assert [one.kind for one in refused] == ["twice"]
        child.commit(MoveExecution("SUCCESS", Counters(), "", True), fence=0)
        assert _told(store) == []

    def test_nobody_is_told_who_does_not_wait_or_waits_for_another(self, store: RecordStore) -> None:
        Story(store)
        Story(store, "c1", parent=_link(0, wait=False)).move("SUCCESS")
        old = Story(store, "c2", parent=_link(1))
        Story(store, "c3", parent=_link(1, attempt=2))
        old.move("SUCCESS")
        assert _told(store) == []

    def test_a_child_that_was_restarted_tells_its_end_again(self, store: RecordStore) -> None:
        Story(store)
        child = Story(store, "c1", parent=_link())
        child.move("FAILED")
        child.commit(MoveExecution("RUNNING", Counters(), "", True, "RESTARTED"))
        child.move("SUCCESS")
        assert [one["state"] for one in _told(store)] == ["FAILED", "SUCCESS"]

    # -- derived

    def _new(self, name: str, **more: Any) -> NewExecution:
        return NewExecution(name, ACME, TEAM, "flow", 2, '{"n":1}', {"k": "v"}, (), 5000, **more)

    def test_a_retry_takes_the_place_of_the_execution_in_one_commit(self, store: RecordStore) -> None:
        Story(store)
        story = Story(store, "c1", parent=_link(), variables_json='{"v":1}', trigger_json='{"t":1}')
        story.run("a", {"x": 1})
        first = ("restart", '{"what":"from"}')
        story.move("RETRIED", derived=self._new("c2", due_at=9000, first=first), kept=(A,))
        opened = store.claim("c2", ENGINE)
        assert (opened.attempt, opened.began_at, opened.due_at, opened.parent) == (2, 1000, 9000, _link())
        assert (opened.view.created_at, opened.view.original_id, opened.view.inputs) == (5000, "c1", {"n": 1})
        assert (opened.view.labels, opened.view.variables, opened.view.state) == ({"k": "v"}, {"v": 1}, "CREATED")
        assert [row[2:] for row in store.unread(["c2"])] == [first]
        assert [key for key, _ in store.states_of("c2")] == [A]
        assert (_told(store), [row.execution_id for row in store.children_of("e1-call")]) == ([], ["c2"])
        second = Story(store, "x")
        second.identity, second.fence = _identity("c2"), opened.fence
        second.move("RETRIED", derived=self._new("c3"))
        third = store.claim("c3", ENGINE)
        assert (third.attempt, third.began_at, third.view.original_id, third.due_at) == (3, 1000, "c1", 0)

    def test_a_retry_that_waits_belongs_to_the_engine_that_waits(self, store: RecordStore, second: RecordStore) -> None:
        store.register_engine(ENGINE, 1)
        story = Story(store)
        story.move("RETRIED", derived=self._new("e2", due_at=9000))
        store.release("e1", story.fence)
        assert (second.is_owned("e2"), second.abandoned(ACME, "")) == (True, ())
        with pytest.raises(Conflict):
            second.claim("e2", "engine-2")
        store.forget_engine(ENGINE)
        assert second.abandoned(ACME, "") == ("e2",)
        assert second.claim("e2", "engine-2").due_at == 9000

    def test_a_refused_retry_leaves_nothing(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        story.move("RETRIED", fence=0, derived=self._new("e2"), kept=(A,))
        assert store.execution(ACME, "e2") is None
        assert (store.unread(["e2"]), store.states_of("e2")) == ((), ())

    def test_the_time_to_begin_is_over_once_it_has_begun(self, store: RecordStore) -> None:
        story = Story(store, due_at=9000)
        assert store.claim("e1", ENGINE).due_at == 9000
        story.fence += 1
        story.move("RUNNING")
        assert store.claim("e1", ENGINE).due_at == 0

    def test_a_replay_gets_copies_of_what_is_kept(self, store: RecordStore) -> None:
        story = Story(store)
        group = story.group("group")
        big: Any = {"output_uri": "storage:///big", "size": 70_000, "files": (("storage:///big", 70_000, "00"),)}
        story.run("a", {"x": 1}, path=("v",), parent=group, summary={"x": 1}, reads=(Read("inputs.n"),))
        story.run("b", parent=group, reads=(Read("outputs.a.v.x", "a"),), **big)
        story.run("left", 1)
        story.commit(Remember(EvaluationKey(group, "values"), ["v"]), Remember(EvaluationKey(B, "run_if"), "true"))
        a = TaskKey("a", ("v",))
        store.derive(self._new("e2"), "e1", (group, a))
        first, second = store.task_executions(ACME, "e2")
        assert (first.copied_from, first.state, first.ended_at) == ("e1-group", "RUNNING", 5000)
        assert (second.copied_from, second.created_at, second.parent_id) == ("e1-a-v", 1020, first.id)
        original = view_of(store, "e1-a-v")
        assert (second.history, second.attempts) == (original.history, original.attempts)
        assert (second.summary, second.version, text_of(store, second.id)) == ({"x": 1}, 1, '{"x":1}')
        assert (first.flow_execution_id, first.flow_revision, first.id != "e1-group") == ("e2", 2, True)
        opened = store.claim("e2", ENGINE)
        assert opened.evaluations == {EvaluationKey(group, "values"): (["v"], "")}
        assert (opened.attempt, opened.began_at, opened.view.original_id, opened.tasks) == (1, 5000, "e1", ())
        assert [row[2:] for row in store.unread(["e2"])] == [("start", "{}")]
        assert store.parent_of("e2") is None

    def test_what_runs_again_from_its_beginning_asks_anew(self, store: RecordStore) -> None:
        story = Story(store)
        group = story.group("group")
        story.commit(Remember(EvaluationKey(group, "values"), ["v"]))
        store.derive(self._new("e2"), "e1", (group,), (group,))
        assert [row.copied_from for row in store.task_executions(ACME, "e2")] == ["e1-group"]
        assert store.claim("e2", ENGINE).evaluations == {}

    def test_copies_keep_files_that_the_original_may_lose(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", output_uri="storage:///big", size=70_000, files=(("storage:///big", 70_000, "00"),))
        story.finish()
        store.derive(self._new("e2"), "e1", (A,))
        assert store.purge_execution(ACME, "e1") == ()
        assert store.may_read_file(ACME, "e2", "storage:///big")
        stored = store.outputs_of("e2", ["a"])[0][2]
        assert stored is not None
        assert (stored.uri, stored.size) == ("storage:///big", 70_000)

    def test_nothing_is_derived_from_what_is_not_there(self, store: RecordStore) -> None:
        with pytest.raises(NotFound) as caught:
            store.derive(self._new("e2"), "nope", ())
        assert str(caught.value) == "there is no execution nope"
        assert store.execution(ACME, "e2") is None

    def test_owned_is_what_a_living_engine_has(self, store: RecordStore, second: RecordStore) -> None:
        Story(store)
        Story(store, "e2", claimed=False)
        assert [second.is_owned(name) for name in ("e1", "e2", "nope")] == [False, False, False]
        store.register_engine(ENGINE, 1)
        assert [second.is_owned(name) for name in ("e1", "e2")] == [True, False]

    def test_what_runs_after_the_end_is_left_by_a_dead_engine_too(self, store: RecordStore) -> None:
        Story(store).commit(MoveExecution("SUCCESS", Counters(phase="after"), "", True))
        Story(store, "e2").commit(MoveExecution("SUCCESS", Counters(phase="over"), "", True))
        assert store.abandoned(ACME, "") == ("e1",)


def _identity(name: str) -> ExecutionIdentity:
    return ExecutionIdentity(name, ACME, TEAM, "flow", 2)


class StaleRules:
    """What becomes of readers when an output was corrected."""

    def test_readers_are_stale_straight_and_through_others(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        story.run("b", 2, reads=(Read("outputs.a.value", "a"),))
        story.run("c", 3, reads=(Read("outputs.b.value", "b"), Read("inputs.x")))
        story.run("d", 4, reads=(Read("inputs.x"),))
        other = Story(store, "e2")
        other.run("b", 5, reads=(Read("outputs.a.value", "a"),))
        assert sorted(store.mark_stale("e1-a", 7000)) == ["e1-b", "e1-c"]
        assert [(row.key.task_id, row.stale) for row in store.past("e1")] == [
            ("a", False), ("b", True), ("c", True), ("d", False),
        ]  # fmt: skip
        assert sorted(store.mark_stale("e1-a", 8000)) == ["e1-b", "e1-c"]
        assert (view_of(store, "e1-b").stale_since, view_of(store, "e2-b").stale_since) == (7000, None)

    def test_readers_in_a_loop_read_what_stands_beside_them(self, store: RecordStore) -> None:
        story = Story(store)
        for value in ("x", "y.z"):
            story.run("a", value, path=(value,))
            story.run("b", value, path=(value,), reads=(Read(f"outputs.a.{value}.value", "a"),))
        story.run("across", 1, path=("x",), reads=(Read("outputs.a.y.z.value", "a"),))
        story.run("after", 1, reads=(Read("outputs.b", "b"),))
        assert sorted(store.mark_stale("e1-a-y.z", 7000)) == ["e1-across-x", "e1-after", "e1-b-y.z"]
        assert sorted(store.mark_stale("e1-b-x", 7000)) == ["e1-after"]

    def test_what_a_condition_decided_is_stale_with_all_below_it(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        group = story.group("group", ("x/y",))
        key = EvaluationKey(group, "values")
        story.commit(Remember(key, ["v"]), evaluated={key: (Read("outputs.a.value", "a"),)})
        story.run("inner", 1, path=("x/y", "v"), parent=group)
        story.run("last", 1, reads=(Read("outputs.inner", "inner"),))
        assert sorted(store.mark_stale("e1-a", 7000)) == ["e1-group-x/y", "e1-inner-x/y-v", "e1-last"]

    def test_what_runs_again_is_stale_no_more(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        story.run("b", 2, reads=(Read("outputs.a.value", "a"),))
        store.mark_stale("e1-a", 7000)
        store.derive(NewExecution("e2", ACME, TEAM, "flow", 1, "{}", {}, (), 9000), "e1", (A, B))
        assert [row.stale for row in store.past("e2")] == [False, True]
        copies = {row.key: row.identity.id for row in store.past("e2")}
        assert store.mark_stale(copies[A], 9000) == (copies[B],)

    def test_there_must_be_something_to_correct(self, store: RecordStore) -> None:
        with pytest.raises(NotFound) as caught:
            store.mark_stale("nope", 1)
        assert str(caught.value) == "there is no task output nope"

    def test_a_reader_that_opens_nothing_is_harmless(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        key = EvaluationKey(ROOT, "outputs")
        story.commit(Remember(key, {}), evaluated={key: (Read("outputs.a", "a"),)})
        story.commit(OpenTask(B, ROOT, "CREATED"))
        assert store.mark_stale("e1-a", 7000) == ()
