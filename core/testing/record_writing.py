"""What record stores keep to when they write: part of `RecordStoreContract`."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from core.errors import Conflict, NotFound
from core.host.records import OpenTaskRow, RecordStore, Refused, TaskIdentity
from core.host.requests import SetKv
from core.host.views import AttemptView
from core.model.codec import decode, encode
from core.model.decisions import (
    Counters,
    EndTask,
    FreeSlot,
    KeyAbsent,
    MoveExecution,
    MoveTask,
    OpenTask,
    Remember,
    VersionIs,
)  # fmt: skip
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.testing.record_story import ACME, ENGINE, OTHER, TEAM, Story

A, B = TaskKey("a"), TaskKey("b")
FENCE = "the execution has another owner"
TWICE = Refused("e1", "this was decided before", "twice")
GROUP = TaskKey("group")

_deep: Any = "bottom"
for _ in range(150):
    _deep = {"in": [_deep]}

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**53 + 1, -(2**63) - 1, 10**300, 1.0, -0.0, 1e-300, 0.1, "", " ", "true", "1", "\0",
    "a\0b", "\ud800", "alone \udfff too", "😀", "﻿", "\u2028", [], {}, [[]], {"": ""}, {"": {"": []}},
    {"\0": "\ud800"}, {"$secret": ["A"]}, {"$map": {"$x": 1}}, timedelta(seconds=1.5), b"\0\xff", "x" * 100_000, _deep,
)  # fmt: skip


def _shown(value: object) -> str:
    return repr(value)[:24].encode("ascii", "backslashreplace").decode()


class WritingRules:
    """Units, their guards, and what is kept of them."""

    # -- creating

    def test_a_new_execution_is_there_as_it_was_given(self, store: RecordStore) -> None:
        Story(store, inputs={"n": 1.0}, labels={"team": "a", "env": "b"}, claimed=False)
        view = store.execution(ACME, "e1")
        assert view is not None
        assert (view.namespace, view.flow_id, view.flow_revision) == (TEAM, "flow", 1)
        assert (view.state, view.history, view.created_at) == ("CREATED", (("CREATED", 1000),), 1000)
        assert (view.inputs, view.outputs, view.labels) == ({"n": 1.0}, None, {"env": "b", "team": "a"})
        assert (view.started_at, view.ended_at, view.duration, view.error) == (None, None, None, "")

    def test_a_new_execution_waits_for_its_start(self, store: RecordStore) -> None:
        Story(store, claimed=False)
        assert [row[1:] for row in store.unread(["e1"])] == [("e1", "start", "{}")]

    def test_files_of_inputs_may_be_read_by_their_execution_only(self, store: RecordStore) -> None:
        Story(store, files=(("storage:///a.csv", 3, "00"),))
        Story(store, "e2")
        assert store.may_read_file(ACME, "e1", "storage:///a.csv")
        assert not store.may_read_file(ACME, "e1", "storage:///b.csv")
        assert not store.may_read_file(ACME, "e2", "storage:///a.csv")
        assert not store.may_read_file(OTHER, "e1", "storage:///a.csv")

    @pytest.mark.parametrize("value", VALUES, ids=_shown)
    def test_every_value_comes_back_as_it_was(self, store: RecordStore, value: Any) -> None:
        story = Story(store, inputs={"value": value})
        story.run("a", {"value": value})
        view, stored = store.execution(ACME, "e1"), store.output(ACME, "e1-a")
        kept = store.set_kv(ACME, TEAM, "k", encode(value), 1)
        assert view is not None
        assert stored is not None
        read = [view.inputs["value"], decode(stored.text or "")["value"], kept.value]
        assert [(type(one), one) for one in read] == [(type(value), value)] * 3

    # -- changes

    def test_a_task_that_opens_has_its_states_and_its_attempt(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        (view,) = store.task_executions(ACME, "e1")
        assert (view.id, view.task_name, view.type, view.value, view.state) == (
            "e1-a", "a", "debug.Return", None, "RUNNING",
        )  # fmt: skip
        assert view.history == (("CREATED", 1010), ("RUNNING", 1010))
        assert view.attempts == (AttemptView(1, "e1-a-attempt-1", "RUNNING", 1010),)
        assert (view.version, view.modified_by, view.ended_at, view.duration) == (0, "system", None, None)

    def test_a_task_below_loops_is_named_by_its_innermost_value(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a", ("outer", "inner"))
        assert store.task_executions(ACME, "e1")[0].value == "inner"

    def test_a_result_is_kept_whole(self, store: RecordStore) -> None:
        story = Story(store)
        story.end(story.open("a"), {"n": 1}, summary={"n": 1, "kind": "x"}, note="a note", properties_hash="00")
        (view,) = store.task_executions(ACME, "e1")
        stored = store.output(ACME, "e1-a")
        assert (view.state, view.error, view.note, view.version) == ("SUCCESS", "", "a note", 1)
        assert view.history == (("CREATED", 1010), ("RUNNING", 1010), ("SUCCESS", 1020))
        assert view.attempts == (AttemptView(1, "e1-a-attempt-1", "SUCCESS", 1011, 1015),)
        assert (view.output_size, view.output_preview, view.summary) == (7, '{"n":1}', {"n": 1, "kind": "x"})
        assert view.output_sha256 == hashlib.sha256(b'{"n":1}').hexdigest()
        assert (view.created_at, view.updated_at, view.ended_at) == (1010, 1020, 1020)
        assert stored is not None
        assert (stored.task_execution_id, stored.text, stored.uri, stored.size) == ("e1-a", '{"n":1}', None, 7)

    def test_a_task_without_output_has_none(self, store: RecordStore) -> None:
        Story(store).run("a")
        assert store.output(ACME, "e1-a") is None
        assert store.outputs_of("e1", None) == ((A, "SUCCESS", None),)

    def test_a_large_output_is_known_by_its_uri(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", output_uri="storage:///o.json", size=70_000, files=(("storage:///o.json", 70_000, "00"),))
        stored = store.output(ACME, "e1-a")
        assert stored is not None
        assert (stored.text, stored.uri, stored.size) == (None, "storage:///o.json", 70_000)
        assert store.may_read_file(ACME, "e1", "storage:///o.json")

    def test_a_failure_keeps_its_reason_and_its_output(self, store: RecordStore) -> None:
        Story(store).run("a", {"exitCode": 3}, "FAILED", error="exit code 3")
        view = store.task_execution(ACME, "e1-a")
        assert view is not None
        assert (view.state, view.error, view.status, view.attempts[0].state) == (
            "FAILED", "exit code 3", "failed", "FAILED",
        )  # fmt: skip

    def test_what_ends_without_an_attempt_has_no_version(self, store: RecordStore) -> None:
        Story(store).commit(OpenTask(A, ROOT, "CREATED"), EndTask(A, "SKIPPED"))
        (view,) = store.task_executions(ACME, "e1")
        assert (view.state, view.attempts, view.version) == ("SKIPPED", (), 0)
        assert view.history == (("CREATED", 1010), ("SKIPPED", 1010))

    def test_another_attempt_is_added_to_the_first(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        story.names[A] = TaskIdentity("e1-a", "debug.Return", None, 2, "second")
        story.commit(MoveTask(A, "RUNNING", attempt=True, entered=True))
        (view,) = store.task_executions(ACME, "e1")
        assert [(attempt.n, attempt.id) for attempt in view.attempts] == [(1, "e1-a-attempt-1"), (2, "second")]

    def test_a_group_keeps_its_counters_without_a_new_state(self, store: RecordStore) -> None:
        story = Story(store)
        story.commit(OpenTask(GROUP, ROOT, "RUNNING", Counters()))
        story.commit(MoveTask(GROUP, "RUNNING", Counters(3, 1, "WARNING")))
        assert len(store.task_executions(ACME, "e1")[0].history) == 2
        assert store.claim("e1", ENGINE).tasks[0].counters == Counters(3, 1, "WARNING")

    def test_an_execution_keeps_the_time_of_each_state(self, store: RecordStore) -> None:
        story = Story(store)
        story.move("RUNNING")
        story.commit(MoveExecution("RUNNING", Counters(1, 1)))
        story.move("FAILED", "no luck", outputs_json='{"x":1}')
        view = store.execution(ACME, "e1")
        assert view is not None
        assert view.history == (("CREATED", 1000), ("RUNNING", 1010), ("FAILED", 1030))
        assert (view.started_at, view.ended_at, view.duration) == (1010, 1030, 0.00002)
        assert (view.error, view.outputs) == ("no luck", {"x": 1})

    def test_wishes_come_true_with_the_result(self, store: RecordStore) -> None:
        Story(store).run("a", requests=(SetKv(TEAM, "k", '"v"'),))
        kept = store.kv(ACME, TEAM, "k", 5000)
        assert kept is not None
        assert (kept.value, kept.version) == ("v", 1)

    def test_log_lines_keep_their_order_and_place(self, store: RecordStore) -> None:
        story = Story(store)
        story.log(story.open("a"), ("INFO", "one"), ("ERROR", "two \0 \ud800"))
        first, second = store.logs(ACME, "e1", None, ("INFO", "ERROR"), 0, 100)
        assert (first.level, first.task_name, first.attempt, first.message) == ("INFO", "a", 1, "one")
        assert second.message.startswith("two \0 ")
        assert second.seq > first.seq

    # -- guards

    def test_a_stale_owner_writes_nothing_and_its_neighbour_does(self, store: RecordStore) -> None:
        late, neighbour = Story(store), Story(store, "e2")
        store.claim("e1", ENGINE)
        units = [
            late.unit(OpenTask(A, ROOT, "RUNNING", attempt=True)),
            neighbour.unit(OpenTask(A, ROOT, "RUNNING", attempt=True)),
            late.unit(MoveExecution("RUNNING", Counters(), "", entered=True)),
        ]
        assert store.commit(units) == (Refused("e1", FENCE), Refused("e1", FENCE))
        view = store.execution(ACME, "e1")
        assert view is not None
        assert (view.state, store.task_executions(ACME, "e1")) == ("CREATED", ())
        assert len(store.task_executions(ACME, "e2")) == 1

    def test_a_refused_unit_leaves_its_message_unread(self, store: RecordStore) -> None:
        story = Story(store)
        (seq, *_), = store.unread(["e1"])  # fmt: skip
        story.commit(fence=story.fence - 1, done=(seq,))
        assert [row[0] for row in store.unread(["e1"])] == [seq]
        story.commit(done=(seq,))
        assert store.unread(["e1"]) == ()

    def test_free_slots_are_counted_inside_the_transaction(self, store: RecordStore) -> None:
        first, second = Story(store), Story(store, "e2")
        guard = FreeSlot(TEAM, "flow", 1)
        running = MoveExecution("RUNNING", Counters(), "", entered=True)
        refused = store.commit([first.unit(running, guards=(guard,)), second.unit(running, guards=(guard,))])
        assert refused == (Refused("e2", f"no free slot in {TEAM}.flow", "slot"),)
        first.move("SUCCESS")
        assert second.commit(running, guards=(guard,)) == ()

    def test_an_absent_key_stays_absent_for_one_of_two(self, store: RecordStore) -> None:
        first, second = Story(store), Story(store, "e2")
        result = {A: first.result(A, requests=(SetKv(TEAM, "once", "1"),))}
        first.open("a")
        guards = (KeyAbsent(TEAM, "once"),)
        units = [first.unit(EndTask(A, "SUCCESS"), guards=guards, results=result), second.unit(guards=guards)]
        assert store.commit(units) == (Refused("e2", "key once exists", "key"),)

    def test_a_version_that_moved_on_refuses(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        assert story.commit(guards=(VersionIs(A, 1),)) == ()
        assert story.commit(guards=(VersionIs(A, 2),)) == (Refused("e1", "a has another version", "version"),)
        assert story.commit(guards=(VersionIs(B, 1),)) == (Refused("e1", "b has another version", "version"),)

    def test_opening_twice_makes_one_row_and_harms_no_neighbour(self, store: RecordStore) -> None:
        story, neighbour = Story(store), Story(store, "e2")
        story.open("a")
        again = story.unit(OpenTask(A, ROOT, "RUNNING", attempt=True))
        refused = store.commit([again, neighbour.unit(OpenTask(A, ROOT, "RUNNING", attempt=True))])
        assert refused == (TWICE,)
        assert [len(store.task_executions(ACME, name)) for name in ("e1", "e2")] == [1, 1]

    def test_ending_twice_keeps_the_first_end(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", "first")
        before = store.task_executions(ACME, "e1")
        assert story.end(A, "second", "FAILED") == (TWICE,)
        assert story.commit(EndTask(A, "KILLED")) == (TWICE,)
        stored = store.output(ACME, "e1-a")
        assert stored is not None
        assert (store.task_executions(ACME, "e1"), stored.text) == (before, '"first"')

    def test_an_answer_is_kept_once(self, store: RecordStore) -> None:
        story, key = Story(store), EvaluationKey(A, "run_if")
        story.commit(Remember(key, "true"))
        story.commit(Remember(key, "false"))
        story.commit(Remember(EvaluationKey(B, "run_if", 1), None, "not known"))
        assert store.claim("e1", ENGINE).evaluations == {
            key: ("true", ""), EvaluationKey(B, "run_if", 1): (None, "not known"),
        }  # fmt: skip

    # -- what an owner finds

    def test_an_owner_finds_what_has_not_ended(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("done", 1)
        story.commit(OpenTask(GROUP, ROOT, "RUNNING", Counters(1, 1)))
        story.names[A] = TaskIdentity("e1-a", "debug.Return", "e1-group", 1, "attempt")
        story.commit(OpenTask(A, GROUP, "RUNNING", attempt=True), MoveExecution("RUNNING", Counters(2, 1), "", True))
        opened = store.claim("e1", ENGINE)
        group = TaskIdentity("e1-group", "debug.Return", None)
        assert opened.tasks == (
            OpenTaskRow(group, GROUP, "RUNNING", Counters(1, 1), since=1030),
            OpenTaskRow(story.names[A], A, "RUNNING", None, GROUP, running=True, attempts=1, since=1040),
        )
        assert (opened.counters, opened.organization_id, opened.view.state) == (Counters(2, 1), ACME, "RUNNING")

    # -- purging

    def test_purge_takes_everything_and_names_the_files_nobody_uses(self, store: RecordStore) -> None:
        shared, own = ("storage:///shared", 1, "00"), ("storage:///own", 1, "00")
        Story(store, "e2", files=(shared,))
        story = Story(store, files=(shared,), labels={"k": "v"})
        story.log(story.open("a"), ("INFO", "line"))
        story.end(A, {"n": 1}, files=(own,))
        story.finish()
        assert store.purge_execution(ACME, "e1") == ("storage:///own",)
        assert (store.execution(ACME, "e1"), store.task_executions(ACME, "e1")) == (None, ())
        assert (store.logs(ACME, "e1", None, ("INFO",), 0, 9), store.output(ACME, "e1-a")) == ((), None)
        assert store.execution(ACME, "e2") is not None

    def test_purge_refuses_what_runs_and_what_is_not_there(self, store: RecordStore) -> None:
        Story(store)
        with pytest.raises(Conflict) as running:
            store.purge_execution(ACME, "e1")
        assert str(running.value) == "the execution e1 has not ended\n  to do: kill it first"
        with pytest.raises(NotFound) as unknown:
            store.purge_execution(OTHER, "e1")
        assert str(unknown.value) == "there is no execution e1"
