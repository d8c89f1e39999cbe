"""What record stores keep to when work goes on after a failure, an end or a pause: part of `RecordStoreContract`."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import NotFound
from core.host.records import OpenTaskRow, PastRow, RecordStore, Refused, TaskIdentity
from core.host.requests import SetKv
from core.host.views import AttemptView, TaskExecutionView
from core.model.decisions import (
    ChangeEnd,
    Counters,
    EndTask,
    GiveOutput,
    MoveExecution,
    MoveTask,
    OpenTask,
    Remember,
    ReopenTask,
)  # fmt: skip
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.testing.record_story import ACME, TEAM, Story

A, GROUP = TaskKey("a"), TaskKey("group")
TWICE = (Refused("e1", "this was decided before", "twice"),)

COUNTERS: tuple[Counters, ...] = (
    Counters(), Counters(3, 2, "WARNING", "errors"), Counters(0, 0, "SUCCESS", "tasks", 1), Counters(round=4),
    Counters(note="held"), Counters(turns=7),
    Counters(1, 1, "FAILED", "waiting", 2, 3, 5, "why: \" \\ \0 \ud800 😀", 9),
    Counters(done=2**53), Counters(done=(1 << 100_000) - 1, turns=1),
)  # fmt: skip


def view_of(store: RecordStore, task_execution_id: str) -> TaskExecutionView:
    view = store.task_execution(ACME, task_execution_id)
    assert view is not None
    return view


def text_of(store: RecordStore, task_execution_id: str) -> str | None:
    stored = store.output(ACME, task_execution_id)
    return None if stored is None else stored.text


class ContinuingRules:
    """Attempts, restarts, outputs of what still runs."""

    @pytest.mark.parametrize("counters", COUNTERS, ids=lambda counters: str(counters.done.bit_length()))
    def test_every_counter_comes_back(self, store: RecordStore, counters: Counters) -> None:
        story = Story(store)
        story.commit(OpenTask(GROUP, ROOT, "RUNNING", counters), MoveExecution("RUNNING", counters))
        opened = story.found()
        assert (opened.tasks[0].counters, opened.counters) == (counters, counters)

    # -- attempts

    def test_an_attempt_ends_while_its_task_waits_for_the_next(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        story.commit(MoveTask(A, "RETRYING", None, entered=True, attempt_ended="FAILED", error="no luck", due_at=99))
        view = view_of(store, "e1-a")
        assert view.attempts == (AttemptView(1, "e1-a-attempt-1", "FAILED", 1010, 1020, "no luck"),)
        assert (view.state, view.error, view.ended_at, view.due_at) == ("RETRYING", "", None, 99)
        (row,) = story.found().tasks
        assert (row.running, row.attempts, row.due_at, row.since) == (False, 1, 99, 1010)

    def test_the_next_attempt_follows_and_waits_for_nothing(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        story.commit(MoveTask(A, "RETRYING", None, entered=True, attempt_ended="FAILED", error="no luck", due_at=99))
        second = story.next_attempt(A)
        story.commit(MoveTask(A, "RUNNING", None, attempt=True, entered=True))
        (row,) = story.found().tasks
        assert row == OpenTaskRow(second, A, "RUNNING", None, ROOT, True, 2, 1010)
        story.end(A, "second")
        attempts = view_of(store, "e1-a").attempts
        assert [(attempt.n, attempt.state, attempt.error) for attempt in attempts] == [
            (1, "FAILED", "no luck"), (2, "SUCCESS", ""),
        ]  # fmt: skip
        assert text_of(store, "e1-a") == '"second"'

    def test_what_a_failed_attempt_gave_stands_until_the_next_has_ended(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        more: Any = {"requests": (SetKv(TEAM, "k", "1"),), "files": (("storage:///f", 1, "00"),)}
        result = story.result(A, {"exitCode": 1}, "FAILED", summary={"exitCode": 1, "old": True}, **more)
        waits = MoveTask(A, "RETRYING", None, entered=True, attempt_ended="FAILED", error="exit 1", due_at=99)
        story.commit(waits, results={A: result})
        assert view_of(store, "e1-a").attempts[0] == AttemptView(1, "e1-a-attempt-1", "FAILED", 1011, 1015, "exit 1")
        assert store.outputs_of("e1", ["a"])[0][1] == "RETRYING"
        assert (text_of(store, "e1-a"), view_of(store, "e1-a").version) == ('{"exitCode":1}', 1)
        assert store.kv(ACME, TEAM, "k", 5000) is not None
        assert store.may_read_file(ACME, "e1", "storage:///f")
        story.next_attempt(A)
        story.commit(MoveTask(A, "RUNNING", None, attempt=True, entered=True))
        story.end(A)
        view = view_of(store, "e1-a")
        assert (view.summary, view.output_size, text_of(store, "e1-a")) == ({}, None, None)

    def test_an_end_without_a_result_ends_the_attempt_too(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        story.commit(EndTask(A, "KILLED"))
        assert view_of(store, "e1-a").attempts == (AttemptView(1, "e1-a-attempt-1", "KILLED", 1010, 1020),)

    def test_a_task_that_waits_says_until_when_and_its_end_waits_for_nothing(self, store: RecordStore) -> None:
        story = Story(store)
        group = story.group("group")
        story.commit(MoveTask(group, "PAUSED", Counters(phase="waiting"), entered=True, due_at=77))
        story.commit(MoveTask(group, "PAUSED", Counters(1, phase="waiting")))
        assert view_of(store, "e1-group").due_at == 77
        story.commit(EndTask(group, "SUCCESS"))
        assert view_of(store, "e1-group").due_at is None

    def test_elements_of_a_loop_are_counted(self, store: RecordStore) -> None:
        story = Story(store)
        key = TaskKey("a", ("x", "y"))
        story.commit(OpenTask(key, ROOT, "RUNNING", iteration=3))
        (row,) = story.found().tasks
        view = view_of(store, "e1-a-x-y")
        assert (row.iteration, view.iteration, view.path, view.turn) == (3, 3, ("x", "y"), 0)

    # -- outputs of what still runs

    def test_the_output_of_a_flow_task_is_there_while_it_runs_and_is_replaced(self, store: RecordStore) -> None:
        story = Story(store)
        group = story.group("loop")
        story.commit(GiveOutput(group, {"iterationCount": 1, "gone": "x"}))
        story.commit(GiveOutput(group, {"iterationCount": 2, "list": [1], "long": "x" * 300}))
        view = view_of(store, "e1-loop")
        text = text_of(store, "e1-loop")
        assert text == '{"iterationCount":2,"list":[1],"long":"' + "x" * 300 + '"}'
        assert (view.version, view.summary, view.output_size) == (1, {"iterationCount": 2}, len(text))
        assert (view.output_preview, len(view.output_sha256 or "")) == (text[:300], 64)
        assert [(key, state) for key, state, _ in store.outputs_of("e1", ["loop"])] == [(group, "RUNNING")]
        story.commit(EndTask(group, "SUCCESS"))
        assert (text_of(store, "e1-loop"), view_of(store, "e1-loop").version) == (text, 1)

    def test_members_of_a_group_end_with_results_of_their_own(self, store: RecordStore) -> None:
        story = Story(store)
        group = story.group("dir")
        member = TaskKey("member")
        story.names[member] = TaskIdentity("e1-member", "debug.Return", "e1-dir", 1, "e1-member-attempt-1")
        opened = OpenTask(member, group, "RUNNING", attempt=True)
        result = story.result(member, "out")
        story.commit(opened, EndTask(member, "SUCCESS"), results={member: result})
        view = view_of(store, "e1-member")
        assert (view.state, view.parent_id, text_of(store, "e1-member")) == ("SUCCESS", "e1-dir", '"out"')

    # -- restarts

    def test_a_task_that_had_ended_goes_on_with_another_attempt(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", {"n": 1}, "FAILED", error="no luck", summary={"n": 1}, note="a note")
        second = story.next_attempt(A)
        story.commit(ReopenTask(A, ROOT, "RUNNING", attempt=True, attempts=2))
        view = view_of(store, "e1-a")
        assert view.history[2:] == (("FAILED", 1020), ("RESTARTED", 1030), ("RUNNING", 1030))
        assert (view.state, view.error, view.ended_at, view.note, view.summary) == ("RUNNING", "", None, "", {})
        assert [(attempt.n, attempt.state) for attempt in view.attempts] == [(1, "FAILED"), (2, "RUNNING")]
        assert (text_of(store, "e1-a"), view.output_size, store.outputs_of("e1", ["a"])) == (None, None, ())
        assert story.found().tasks == (OpenTaskRow(second, A, "RUNNING", None, ROOT, True, 2, 1030),)
        story.end(A, "again")
        assert (text_of(store, "e1-a"), view_of(store, "e1-a").version) == ('"again"', 2)

    def test_a_group_that_had_ended_goes_on_and_keeps_its_output(self, store: RecordStore) -> None:
        story = Story(store)
        group = story.group("group")
        story.commit(GiveOutput(group, {"n": 1}), EndTask(group, "FAILED"))
        story.commit(ReopenTask(group, ROOT, "RUNNING", Counters(2, 1, turn=3), iteration=4))
        (row,) = story.found().tasks
        assert (row.counters, row.iteration, row.running, row.since) == (Counters(2, 1, turn=3), 4, False, 1030)
        assert (text_of(store, "e1-group"), view_of(store, "e1-group").version) == ('{"n":1}', 1)

    def test_only_what_has_ended_is_opened_again(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        assert story.commit(ReopenTask(A, ROOT, "RUNNING"), MoveExecution("RUNNING", Counters(9))) == TWICE
        assert story.commit(ChangeEnd(A, "SUCCESS")) == TWICE
        assert story.found().counters == Counters()

    def test_an_end_can_count_otherwise(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1, "FAILED", error="no luck")
        story.commit(ChangeEnd(A, "SUCCESS"))
        view = view_of(store, "e1-a")
        assert (view.state, view.history[-1], view.ended_at) == ("SUCCESS", ("SUCCESS", 1030), 1020)
        assert (text_of(store, "e1-a"), view.version) == ("1", 1)

    def test_an_execution_that_has_ended_can_be_claimed_and_goes_on(self, store: RecordStore) -> None:
        story = Story(store)
        story.move("RUNNING")
        story.move("FAILED", "no luck", outputs_json='{"x":1}')
        store.release("e1", story.fence)
        story.found()
        story.commit(MoveExecution("RUNNING", Counters(), "", True, "RESTARTED"))
        view = store.execution(ACME, "e1")
        assert view is not None
        assert view.history[-2:] == (("RESTARTED", 1030), ("RUNNING", 1030))
        assert (view.state, view.started_at, view.ended_at) == ("RUNNING", 1010, None)
        assert (view.error, view.outputs) == ("", None)

    def test_one_that_goes_on_and_ends_in_the_same_commit_has_all_states_on_the_way(self, store: RecordStore) -> None:
        story = Story(store)
        story.move("FAILED", "no luck", outputs_json='{"x":1}')
        store.release("e1", story.fence)
        story.found()
        story.commit(MoveExecution("SUCCESS", Counters(), "", True, "RESTARTED RUNNING"))
        view = store.execution(ACME, "e1")
        assert view is not None
        assert view.history[-3:] == (("RESTARTED", 1020), ("RUNNING", 1020), ("SUCCESS", 1020))
        assert (view.ended_at, view.error, view.outputs) == (1020, "", None)

    def test_a_late_owner_restarts_nothing(self, store: RecordStore) -> None:
        story = Story(store)
        story.move("FAILED", "no luck")
        before = store.execution(ACME, "e1")
        refused = story.commit(MoveExecution("RUNNING", Counters(), "", True, "RESTARTED"), fence=story.fence - 1)
        assert refused == (Refused("e1", "the execution has another owner", "fence"),)
        assert store.execution(ACME, "e1") == before

    def test_a_reason_is_kept_before_the_end(self, store: RecordStore) -> None:
        story = Story(store)
        story.move("RUNNING")
        story.commit(MoveExecution("RUNNING", Counters(note="exit:FAILED"), "because"))
        story.move("FAILED")
        view = store.execution(ACME, "e1")
        assert view is not None
        assert view.error == "because"

    def test_waiting_in_a_queue_is_no_beginning(self, store: RecordStore) -> None:
        story = Story(store)
        story.move("QUEUED")
        story.move("RUNNING")
        view = store.execution(ACME, "e1")
        assert view is not None
        assert (view.started_at, view.created_at) == (1020, 1000)

    def test_a_restart_sees_every_row_in_the_order_of_opening(self, store: RecordStore) -> None:
        story = Story(store)
        group = story.group("group")
        story.run("b", 1, "FAILED", path=("x",), parent=group)
        story.run("a", 2)
        story.commit(EndTask(group, "FAILED"))
        b, named = TaskKey("b", ("x",)), story.names
        assert store.past("e1") == (
            PastRow(group, ROOT, "FAILED", Counters(), False, 0, named[group]),
            PastRow(b, group, "FAILED", None, False, 1, named[b]),
            PastRow(A, ROOT, "SUCCESS", None, False, 1, named[A]),
        )
        assert (store.identity("e1", b), store.identity("e1", group)) == (named[b], named[group])
        with pytest.raises(NotFound) as caught:
            store.identity("e1", TaskKey("b", ("y",)))
        assert str(caught.value) == "the execution e1 has no task execution b / y"

    def test_answers_of_every_purpose_are_found_again(self, store: RecordStore) -> None:
        story, key = Story(store), TaskKey("loop", ("x",), 2)
        story.commit(Remember(EvaluationKey(key, "values"), ["a", "b"]), Remember(EvaluationKey(key, "until", 7), "no"))
        assert story.found().evaluations == {
            EvaluationKey(key, "values"): (["a", "b"], ""), EvaluationKey(key, "until", 7): ("no", ""),
        }  # fmt: skip

    # -- places

    def test_of_each_place_the_latest_turn_is_read(self, store: RecordStore) -> None:
        story = Story(store)
        for turn in (0, 2, 1):
            story.run("a", turn, turn=turn)
        story.run("a", "x", path=("x",))
        story.open("a", turn=3)
        found = [(key, stored and stored.text) for key, _, stored in store.outputs_of("e1", ["a"])]
        assert found == [(TaskKey("a", (), 2), "2"), (TaskKey("a", ("x",)), '"x"')]
        assert store.outputs_of("e1", None) == store.outputs_of("e1", ["a"])
        states = ((TaskKey("a", (), 3), "RUNNING"), (TaskKey("a", ("x",)), "SUCCESS"))
        assert store.states_of("e1") == states
        story.run("b", 1)
        assert store.states_of("e1", ["a"]) == states
        assert store.states_of("e1", ["nothing"]) == ()

    def test_outputs_below_loops_are_found_level_by_level(self, store: RecordStore) -> None:
        story = Story(store)
        for path in (("b", "1"), ("a", "2"), ("a", "1"), ("a#", "1"), ('a", "z', "3"), ("ü", "4")):
            story.run("t", "/".join(path), path=path)
        story.run("tt", 0, path=("other", "1"))
        story.open("t", ("open",))
        assert store.outputs_at("e1", "t", ()) == (None, ("b", "a", "a#", 'a", "z', "ü"))
        assert store.outputs_at("e1", "t", ("a",)) == (None, ("2", "1"))
        stored, deeper = store.outputs_at("e1", "t", ("ü", "4"))
        assert (stored and stored.text, deeper) == ('"ü/4"', ())
        assert store.outputs_at("e1", "t", ("nope",)) == (None, ())
