"""What record stores keep to when people and outside workers change outputs: a part of `RecordStoreContract`."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from core.errors import Conflict, NotFound
from core.host.product import AuditFilter, Correction, NewOutput, Once, OutputBody
from core.host.records import NewExecution, RecordStore
from core.host.seam import Read
from core.host.views import ExecutionFilter, OutputFilter, SummaryCondition
from core.model.codec import encode
from core.model.messages import TaskKey
from core.testing.record_story import ACME, OTHER, TEAM, Story

KEY = "key-1"
READ_A = (Read("outputs.a.value", "a"),)
READ_B = (Read("outputs.b.value", "b"),)


def body_of(value: Any, **more: Any) -> OutputBody:
    """An output as the record keeps it."""
    text = encode(value)
    return OutputBody(len(text), hashlib.sha256(text.encode()).hexdigest(), text[:300], text=text, **more)


def _chain(store: RecordStore) -> Story:
    """`a`, `b` that read it, `c` that read `b`, and `d` that read nothing; it has ended."""
    story = Story(store)
    story.move("RUNNING")
    story.run("a", {"value": 1}, summary={"value": 1, "kind": "old"})
    story.run("b", 2, reads=READ_A)
    story.run("c", 3, reads=READ_B)
    story.run("d", 4)
    story.finish()
    return story


def _statuses(store: RecordStore, organization: str = ACME) -> dict[str, str]:
    return {view.task_name: view.status for view in store.outputs(organization, OutputFilter(limit=1000)).data}


def _correct(store: RecordStore, value: Any = 9, *, version: int = 1, at: int = 9000, **more: Any) -> tuple[str, ...]:
    correction = Correction(body_of(value), **more)
    return store.product.correct_output(ACME, "e1-a", correction, version=version, by=KEY, at=at)


class CorrectionRules:
    """Outputs are corrected: what read them becomes stale."""

    def test_a_corrected_output_is_another_version_of_the_same_row(self, store: RecordStore) -> None:
        _chain(store)
        before = store.task_execution(ACME, "e1-a")
        _correct(store, {"value": 9}, summary={"value": 9}, tags={"seen": "yes"})
        after, stored = store.task_execution(ACME, "e1-a"), store.output(ACME, "e1-a")
        assert before is not None
        assert after is not None
        assert stored is not None
        assert (after.version, after.modified_by, after.updated_at, after.status) == (2, KEY, 9000, "completed")
        assert (after.summary, after.tags, stored.text) == ({"value": 9}, {"seen": "yes"}, '{"value":9}')
        assert (stored.size, after.output_size, after.output_preview) == (11, 11, '{"value":9}')
        assert (after.history, after.created_at, after.ended_at) == (before.history, before.created_at, before.ended_at)

    def test_what_read_it_straight_or_through_others_is_stale(self, store: RecordStore) -> None:
        _chain(store)
        assert set(_correct(store)) == {"e1-b", "e1-c"}
        assert _statuses(store) == {"a": "completed", "b": "stale", "c": "stale", "d": "completed"}
        views = {view.task_name: view for view in store.task_executions(ACME, "e1")}
        assert (views["b"].stale_since, views["b"].version, views["b"].updated_at) == (9000, 1, 9000)

    def test_a_stale_output_that_is_corrected_is_fresh(self, store: RecordStore) -> None:
        _chain(store)
        _correct(store)
        store.product.correct_output(ACME, "e1-b", Correction(body_of(5)), version=1, by=KEY, at=9100)
        assert _statuses(store) == {"a": "completed", "b": "completed", "c": "stale", "d": "completed"}
        view = store.task_execution(ACME, "e1-c")
        assert view is not None
        assert view.stale_since == 9000

    def test_nothing_is_stale_when_only_summary_and_tags_are_corrected(self, store: RecordStore) -> None:
        _chain(store)
        correction = Correction(summary={"value": 2}, tags={"team": "x"})
        assert store.product.correct_output(ACME, "e1-a", correction, version=1, by=KEY, at=9000) == ()
        assert _statuses(store) == {"a": "completed", "b": "completed", "c": "completed", "d": "completed"}

    def test_parts_that_are_not_given_stay(self, store: RecordStore) -> None:
        _chain(store)
        store.product.tag_outputs(ACME, ["e1-a"], {"team": "x"}, (), by=KEY, at=8000)
        _correct(store, version=2)
        view = store.task_execution(ACME, "e1-a")
        assert view is not None
        assert (view.summary, view.tags) == ({"value": 1, "kind": "old"}, {"team": "x"})
        store.product.correct_output(ACME, "e1-a", Correction(summary={}, tags={}), version=3, by=KEY, at=9200)
        view, stored = store.task_execution(ACME, "e1-a"), store.output(ACME, "e1-a")
        assert view is not None
        assert stored is not None
        assert (view.summary, view.tags, stored.text) == ({}, {}, "9")

    def test_lists_find_it_by_its_new_summary(self, store: RecordStore) -> None:
        _chain(store)
        _correct(store, summary={"value": 7, "kind": "new"})

        def names(path: str, value: str) -> list[str]:
            which = OutputFilter(summary=(SummaryCondition(path, "=", value),))
            return [view.task_name for view in store.outputs(ACME, which).data]

        assert [names("value", "1"), names("value", "7"), names("kind", "old"), names("kind", "new")] == [
            [], ["a"], [], ["a"],
        ]  # fmt: skip

    def test_a_large_output_is_a_file_of_its_execution(self, store: RecordStore) -> None:
        _chain(store)
        file = ("storage:///big.json", 70_000, "00")
        body = OutputBody(70_000, "00", "[1,", uri=file[0], files=(file,))
        store.product.correct_output(ACME, "e1-a", Correction(body), version=1, by=KEY, at=9000)
        stored = store.output(ACME, "e1-a")
        assert stored is not None
        assert (stored.text, stored.uri, stored.size) == (None, "storage:///big.json", 70_000)
        assert store.may_read_file(ACME, "e1", "storage:///big.json")
        assert store.product.bodies(ACME, ["e1-a", "e1-b", "nope"]) == {
            "e1-a": (None, "storage:///big.json", 70_000), "e1-b": ("2", None, 1),
        }  # fmt: skip

    def test_a_correction_of_another_version_changes_nothing(self, store: RecordStore) -> None:
        _chain(store)
        _correct(store, 5)
        with pytest.raises(Conflict) as caught:
            _correct(store, 6)
        assert str(caught.value) == (
            "the task output e1-a has the version 2, not 1\n  to do: read it again: somebody changed it"
        )
        stored = store.output(ACME, "e1-a")
        assert stored is not None
        assert stored.text == "5"
        assert len(store.product.audit(ACME, AuditFilter()).data) == 1

    def test_what_is_not_there_or_not_ended_is_not_corrected(self, store: RecordStore) -> None:
        with pytest.raises(NotFound) as missing:
            _correct(store)
        assert str(missing.value) == "there is no task output `e1-a`"
        story = Story(store)
        story.open("a")
        with pytest.raises(Conflict) as running:
            _correct(store, version=0)
        assert str(running.value) == "the task execution e1-a has not ended"
        story.end(TaskKey("a"), 1)
        with pytest.raises(Conflict) as owned:
            _correct(store)
        assert str(owned.value) == "an engine works on the execution e1\n  to do: wait for its end, or pause it"
        story.finish()
        with pytest.raises(NotFound):
            store.product.correct_output(OTHER, "e1-a", Correction(body_of(1)), version=1, by=KEY, at=9000)
        store.product.set_output_deleted(ACME, "e1-a", True, by=KEY, at=9000)
        with pytest.raises(Conflict) as deleted:
            _correct(store)
        assert str(deleted.value) == "the task output e1-a is deleted\n  to do: restore it first"

    def test_the_audit_tells_what_became_of_what(self, store: RecordStore) -> None:
        _chain(store)
        _correct(store, {"value": 9}, summary={"value": 9}, reason="the source was wrong")
        (row,) = store.product.audit(ACME, AuditFilter()).data
        assert (row.actor, row.action, row.subject, row.at) == (KEY, "task_output.correct", "e1-a", 9000)
        assert row.before == {"version": 1, "output": {"value": 1}, "summary": {"value": 1, "kind": "old"}}
        assert row.after == {
            "version": 2, "output": {"value": 9}, "summary": {"value": 9}, "reason": "the source was wrong", "stale": 2,
        }  # fmt: skip

    def test_the_audit_names_a_large_output_by_its_digest(self, store: RecordStore) -> None:
        _chain(store)
        _correct(store, "x" * 5000)
        (row,) = store.product.audit(ACME, AuditFilter()).data
        assert row.after["output"] == {"size": 5002, "sha256": body_of("x" * 5000).sha256}


class TagRules:
    """Tags of many outputs at once, and outputs that are hidden."""

    def test_tags_are_added_and_removed(self, store: RecordStore) -> None:
        _chain(store)
        store.product.tag_outputs(ACME, ["e1-a", "e1-b"], {"team": "x", "old": "1"}, (), by=KEY, at=8000)
        store.product.tag_outputs(ACME, ["e1-b", "e1-b"], {"team": "y"}, ("old", "nope"), by=KEY, at=8100)
        views = {view.task_name: view for view in store.task_executions(ACME, "e1")}
        assert (views["a"].tags, views["a"].version, views["a"].modified_by) == ({"old": "1", "team": "x"}, 2, KEY)
        assert (views["b"].tags, views["b"].version, views["b"].updated_at) == ({"team": "y"}, 3, 8100)
        first, rows = {"old": "1", "team": "x"}, store.product.audit(ACME, AuditFilter(subject=("e1-b",))).data
        assert [(row.action, row.before, row.after) for row in rows] == [
            ("task_output.tag", {"version": 2, "tags": first}, {"version": 3, "tags": {"team": "y"}}),
            ("task_output.tag", {"version": 1, "tags": {}}, {"version": 2, "tags": first}),
        ]  # fmt: skip

    def test_all_are_tagged_or_none(self, store: RecordStore) -> None:
        _chain(store)
        Story(store, "e2", organization=OTHER).run("a", 1)
        with pytest.raises(NotFound) as caught:
            store.product.tag_outputs(ACME, ["e1-a", "nope", "e2-a"], {"team": "x"}, (), by=KEY, at=8000)
        assert str(caught.value) == "there is no task output `nope`, `e2-a`"
        assert store.outputs(ACME, OutputFilter(tag=("team",))).data == ()
        assert store.product.audit(ACME, AuditFilter()).data == ()

    def test_a_deleted_output_is_hidden_until_it_is_restored(self, store: RecordStore) -> None:
        _chain(store)
        for at in (8000, 8100):
            store.product.set_output_deleted(ACME, "e1-a", True, by=KEY, at=at)
        assert "a" not in _statuses(store)
        view = store.task_execution(ACME, "e1-a")
        assert view is not None
        assert (view.status, view.deleted_at, view.updated_at) == ("deleted", 8000, 8000)
        assert [one.id for one in store.outputs(ACME, OutputFilter(status=("deleted",))).data] == ["e1-a"]
        for at in (8200, 8300):
            store.product.set_output_deleted(ACME, "e1-a", False, by=KEY, at=at)
        assert _statuses(store)["a"] == "completed"
        assert [row.action for row in store.product.audit(ACME, AuditFilter()).data] == [
            "task_output.restore", "task_output.delete",
        ]  # fmt: skip
        with pytest.raises(NotFound):
            store.product.set_output_deleted(OTHER, "e1-a", True, by=KEY, at=8000)

    def test_a_deleted_execution_hides_its_outputs_and_brings_back_those(self, store: RecordStore) -> None:
        _chain(store)
        store.product.set_output_deleted(ACME, "e1-d", True, by=KEY, at=8000)
        for at in (8000, 8100):
            store.product.set_execution_deleted(ACME, "e1", True, by=KEY, at=at)
        assert (store.execution(ACME, "e1"), _statuses(store)) == (None, {})
        assert store.executions(ACME, ExecutionFilter()).data == ()
        (hidden,) = store.executions(ACME, ExecutionFilter(status=("deleted",))).data
        assert (hidden.id, hidden.status, hidden.deleted_at) == ("e1", "deleted", 8000)
        assert store.product.count_outputs(ACME, OutputFilter(status=("deleted",))) == 4
        for at in (8200, 8300):
            store.product.set_execution_deleted(ACME, "e1", False, by=KEY, at=at)
        assert store.execution(ACME, "e1") is not None
        assert _statuses(store) == {"a": "completed", "b": "completed", "c": "completed"}
        assert [row.action for row in store.product.audit(ACME, AuditFilter(subject=("e1",))).data] == [
            "flow_execution.restore", "flow_execution.delete",
        ]  # fmt: skip

    def test_a_deleted_execution_can_be_purged(self, store: RecordStore) -> None:
        _chain(store)
        store.product.set_execution_deleted(ACME, "e1", True, by=KEY, at=8000)
        store.purge_execution(ACME, "e1")
        assert store.executions(ACME, ExecutionFilter(status=("deleted",))).data == ()

    def test_only_an_ended_execution_is_deleted(self, store: RecordStore) -> None:
        story = Story(store)
        with pytest.raises(Conflict) as caught:
            store.product.set_execution_deleted(ACME, "e1", True, by=KEY, at=8000)
        assert str(caught.value) == "the execution e1 has not ended\n  to do: kill it first"
        story.finish()
        with pytest.raises(NotFound) as missing:
            store.product.set_execution_deleted(OTHER, "e1", True, by=KEY, at=8000)
        assert str(missing.value) == "there is no execution `e1`"


def _new(name: str = "x1", task: str = "report", **more: Any) -> NewOutput:
    return NewOutput(name, "e1", task, **{"state": "SUCCESS", "at": 7000, **more})


class ExternalRules:
    """Outputs of outside workers, which the engine never meets."""

    def test_an_outside_worker_adds_an_output(self, store: RecordStore) -> None:
        _chain(store)
        new = _new(value="eu", body=body_of({"n": 1}), summary={"n": 1}, tags={"team": "x"}, error="")
        assert store.product.add_output(ACME, new, once=None, by=KEY, at=7000) == "x1"
        (view,) = store.product.external_outputs(ACME, "e1")
        assert view == store.task_execution(ACME, "x1") == store.outputs(ACME, OutputFilter(limit=1)).data[0]
        assert (view.type, view.state, view.value, view.path, view.turn) == ("external", "SUCCESS", "eu", ("eu",), 0)
        assert (view.namespace, view.flow_id, view.flow_revision, view.flow_execution_id) == (TEAM, "flow", 1, "e1")
        assert (view.summary, view.tags, view.version, view.modified_by) == ({"n": 1}, {"team": "x"}, 1, KEY)
        assert (view.created_at, view.updated_at, view.ended_at) == (7000, 7000, 7000)
        assert view.history == (("CREATED", 7000), ("SUCCESS", 7000))
        assert store.product.bodies(ACME, ["x1"]) == {"x1": ('{"n":1}', None, 7)}
        assert store.product.external_outputs(OTHER, "e1") == ()
        assert store.product.bodies(OTHER, ["x1"]) == {}
        (row,) = store.product.audit(ACME, AuditFilter()).data
        assert (row.action, row.subject, row.after) == (
            "task_output.add", "x1", {"flow_execution_id": "e1", "task_name": "report", "state": "SUCCESS"},
        )  # fmt: skip

    def test_another_one_of_the_same_place_is_the_next_turn(self, store: RecordStore) -> None:
        _chain(store)
        for number, value in enumerate((None, None, "eu", None)):
            store.product.add_output(ACME, _new(f"x{number}", value=value), once=None, by=KEY, at=7000)
        assert [(view.id, view.turn) for view in store.product.external_outputs(ACME, "e1")] == [
            ("x0", 0), ("x1", 1), ("x2", 0), ("x3", 2),
        ]  # fmt: skip

    def test_the_engine_never_meets_it(self, store: RecordStore) -> None:
        story = Story(store)
        loop = story.group("loop")
        story.run("a", 1)
        before: list[Any] = [store.past("e1"), store.states_of("e1"), store.outputs_of("e1", None)]
        store.product.add_output(ACME, _new(body=body_of(1)), once=None, by=KEY, at=7000)
        store.product.add_output(ACME, _new("x2", value="eu", body=body_of(2)), once=None, by=KEY, at=7000)
        assert [store.past("e1"), store.states_of("e1"), store.outputs_of("e1", None)] == before
        assert (store.outputs_of("e1", ["report"]), store.outputs_at("e1", "report", ())) == ((), (None, ()))
        assert [view.task_name for view in store.task_executions(ACME, "e1")] == ["loop", "a"]
        story.run("report", 3, parent=loop)  # a task of the flow that had not run: it is the one that counts
        story.run("reader", 4, reads=(Read("outputs.report", "report"),))
        assert [key.task_id for key, _, _ in store.outputs_of("e1", ["report"])] == ["report"]
        assert [row.key.turn for row in store.past("e1")] == [0, 0, 0, 0]
        assert [row.state for row in story.found().tasks] == ["RUNNING"]
        assert store.mark_stale("x1", 8000) == ()
        assert store.mark_stale("e1-report", 8000) == ("e1-reader",)

    def test_a_copy_of_the_execution_leaves_it_behind(self, store: RecordStore) -> None:
        _chain(store)
        store.product.add_output(ACME, _new(), once=None, by=KEY, at=7000)
        derived = NewExecution("e2", ACME, TEAM, "flow", 1, "{}", {}, (), 8000)
        store.derive(derived, "e1", [TaskKey("a"), TaskKey("report")])
        assert [view.task_name for view in store.task_executions(ACME, "e2")] == ["a"]
        assert store.product.external_outputs(ACME, "e2") == ()

    def test_a_task_of_the_flow_gives_its_output_itself(self, store: RecordStore) -> None:
        _chain(store)
        with pytest.raises(Conflict) as caught:
            store.product.add_output(ACME, _new(task="a"), once=None, by=KEY, at=7000)
        assert str(caught.value) == (
            "`a` is a task of the flow company.team.flow, which gives its output itself\n"
            "  to do: give the output another task_name, or correct the one that is there"
        )
        for organization in (OTHER, ACME):
            if organization == ACME:
                store.product.set_execution_deleted(ACME, "e1", True, by=KEY, at=7000)
            with pytest.raises(NotFound) as missing:
                store.product.add_output(organization, _new(), once=None, by=KEY, at=7000)
            assert str(missing.value) == "there is no execution `e1`"

    def test_the_same_request_makes_one_output(self, store: RecordStore, second: RecordStore) -> None:
        _chain(store)
        once = Once("abc", "digest-1")
        made = [
            each.product.add_output(ACME, _new(f"x{number}"), once=once, by=KEY, at=7000)
            for number, each in enumerate((store, second, store))
        ]
        assert made == ["x0", "x0", "x0"]
        assert len(store.product.external_outputs(ACME, "e1")) == 1
        assert len(store.product.audit(ACME, AuditFilter()).data) == 1
        with pytest.raises(Conflict) as caught:
            store.product.add_output(ACME, _new("x9"), once=Once("abc", "digest-2"), by=KEY, at=7000)
        assert str(caught.value) == (
            "another request was made with the key `abc`\n  to do: use a new key for each new request"
        )
        story = Story(store, "e5", organization=OTHER)
        story.finish()
        theirs = NewOutput("y1", "e5", "report", "FAILED", 7000, error="broken")
        assert store.product.add_output(OTHER, theirs, once=once, by=KEY, at=7000) == "y1"

    def test_a_request_that_failed_may_be_made_again(self, store: RecordStore) -> None:
        once = Once("abc", "digest-1")
        with pytest.raises(NotFound):
            store.product.add_output(ACME, _new(), once=once, by=KEY, at=7000)
        _chain(store)
        assert store.product.add_output(ACME, _new(), once=once, by=KEY, at=7000) == "x1"

    def test_it_can_be_corrected_and_nothing_of_the_engine_becomes_stale(self, store: RecordStore) -> None:
        _chain(store)
        store.product.add_output(ACME, _new(body=body_of(1)), once=None, by=KEY, at=7000)
        found = store.product.correct_output(ACME, "x1", Correction(body_of(2)), version=1, by="key-2", at=7100)
        (view,) = store.product.external_outputs(ACME, "e1")
        assert (found, view.version, view.modified_by, view.output_preview) == ((), 2, "key-2", "2")
