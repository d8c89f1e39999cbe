"""What record stores keep to when they are read, and who may write: parts of `RecordStoreContract`."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Conflict, Invalid, NotFound
from core.host.records import RecordStore
from core.host.views import ExecutionFilter, LogFilter, OutputFilter
from core.model.messages import TaskKey
from core.testing.record_story import ACME, ENGINE, OTHER, TEAM, Story


class OwnershipRules:
    """Who decides, and what others leave for it. `second` is another process's view of the same records."""

    def test_each_claim_raises_the_fence(self, store: RecordStore) -> None:
        Story(store, claimed=False)
        assert [store.claim("e1", ENGINE).fence for _ in range(3)] == [1, 2, 3]

    def test_an_unknown_execution_cannot_be_claimed(self, store: RecordStore) -> None:
        with pytest.raises(NotFound) as caught:
            store.claim("nope", ENGINE)
        assert str(caught.value) == "there is no execution nope"

    def test_what_a_living_engine_owns_is_not_given_away(self, store: RecordStore, second: RecordStore) -> None:
        store.register_engine(ENGINE, 1)
        Story(store)
        second.register_engine("engine-2", 1)
        with pytest.raises(Conflict) as caught:
            second.claim("e1", "engine-2")
        assert str(caught.value) == "another process works on the execution e1"
        assert second.abandoned(ACME, "engine-2") == ()

    def test_what_was_released_is_free_for_all(self, store: RecordStore, second: RecordStore) -> None:
        store.register_engine(ENGINE, 1)
        story = Story(store)
        store.release("e1", story.fence)
        assert second.claim("e1", "engine-2").fence == story.fence + 1

    def test_a_late_release_takes_nothing_from_the_new_owner(self, store: RecordStore, second: RecordStore) -> None:
        second.register_engine("engine-2", 1)
        story = Story(store)
        second.claim("e1", "engine-2")
        store.release("e1", story.fence)
        with pytest.raises(Conflict):
            store.claim("e1", ENGINE)

    def test_an_engine_that_is_gone_leaves_its_unfinished_executions(
        self, store: RecordStore, second: RecordStore
    ) -> None:
        store.register_engine(ENGINE, 1)
        Story(store)
        Story(store, "e2").move("SUCCESS")
        Story(store, "e3").finish()
        Story(store, "e4", organization=OTHER)
        assert second.abandoned(ACME, "") == ()
        store.forget_engine(ENGINE)
        assert second.abandoned(ACME, "") == ("e1",)
        assert second.claim("e1", "engine-2").fence == 2

    def test_messages_from_outside_are_read_in_order_until_done(self, store: RecordStore, second: RecordStore) -> None:
        story = Story(store)
        Story(store, "e2")
        second.send("e1", "kill", '{"by":"me"}', 5)
        rows = store.unread(["e1"])
        assert [row[1:] for row in rows] == [("e1", "start", "{}"), ("e1", "kill", '{"by":"me"}')]
        story.commit(done=(rows[0][0],))
        assert [row[2] for row in store.unread(["e1"])] == ["kill"]
        assert [row[1] for row in store.unread(["e2", "e1"])] == ["e2", "e1"]

    def test_a_change_of_another_process_is_noticed_once(self, store: RecordStore, second: RecordStore) -> None:
        Story(store)
        store.changed()
        assert not store.changed()
        second.send("e1", "kill", "{}", 5)
        assert store.changed()
        assert not store.changed()

    def test_a_message_sent_through_the_same_store_is_noticed(self, store: RecordStore) -> None:
        Story(store)
        store.changed()
        store.send("e1", "kill", "{}", 5)
        assert store.changed()
        assert not store.changed()

    def test_others_see_what_was_committed(self, store: RecordStore, second: RecordStore) -> None:
        story = Story(store)
        second.execution(ACME, "e1")
        story.run("a", 1)
        assert len(second.task_executions(ACME, "e1")) == 1


def _names(page: Any) -> list[str]:
    return [view.id for view in page.data]


def _everything(store: RecordStore) -> None:
    """Four executions in three namespaces, with one task each and two more in the first."""
    for number, (namespace, flow_id, state) in enumerate(
        [("a", "f", "SUCCESS"), ("a.b", "g", "WARNING"), ("a.b.c", "f", "FAILED"), ("ab", "f", "")], 1
    ):
        labels = {"team": "x", "n": str(number)} if number % 2 else {"team": "y:z"}
        story = Story(store, f"e{number}", namespace=namespace, flow_id=flow_id, labels=labels, at=1000 * number)
        story.move("RUNNING")
        if state:
            story.run("t", 1, state)
            story.finish(state)
        else:
            story.open("t")
    other = Story(store, "e9", organization=OTHER, namespace="a")
    other.run("t", 1)


OUTPUT_FILTERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "4321"), ({"flow_execution_id": ("e2", "e3")}, "32"), ({"flow_id": ("g",)}, "2"),
    ({"namespace": ("a",)}, "1"), ({"namespace": ("a.*",)}, "321"), ({"namespace": ("a.b.*", "ab")}, "432"),
    ({"namespace": ("%",)}, ""), ({"namespace": ("a_b", "a.*' OR 1=1 --")}, ""),
    ({"task_name": ("t",)}, "4321"), ({"task_name": ("u",)}, ""),
    ({"status": ("completed",)}, "21"), ({"status": ("failed", "running")}, "43"), ({"status": ("queued",)}, ""),
    ({"status": ("deleted",)}, ""), ({"status": ("stale",)}, ""),
    ({"state": ("WARNING",)}, "2"), ({"state": ("SUCCESS", "RUNNING")}, "41"),
    ({"created_after": 2020}, "432"), ({"created_before": 2020}, "1"),
    ({"created_after": 2020, "created_before": 3020}, "2"), ({"created_after": 2021}, "43"),
    ({"flow_id": ("f",), "status": ("completed",)}, "1"), ({"tag": ("k",)}, ""),
)  # fmt: skip
EXECUTION_FILTERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "4321"), ({"flow_id": ("g", "f")}, "4321"), ({"namespace": ("a.*",)}, "321"), ({"state": ("FAILED",)}, "3"),
    ({"status": ("completed",)}, "21"), ({"status": ("running",)}, "4"), ({"status": ("deleted",)}, ""),
    ({"label": ("team",)}, "4321"), ({"label": ("team:x",)}, "31"), ({"label": ("team:y:z",)}, "42"),
    ({"label": ("n:1", "n:3")}, "31"), ({"label": ("nope", "n:2")}, ""),
    ({"created_after": 2000, "created_before": 4000}, "32"),
)  # fmt: skip


class ReadingRules:
    """Lists, pages, filters, and what one organization sees."""

    @pytest.mark.parametrize(("which", "expected"), OUTPUT_FILTERS, ids=str)
    def test_outputs_are_filtered(self, store: RecordStore, which: dict[str, Any], expected: str) -> None:
        _everything(store)
        assert _names(store.outputs(ACME, OutputFilter(**which))) == [f"e{one}-t" for one in expected]

    @pytest.mark.parametrize(("which", "expected"), EXECUTION_FILTERS, ids=str)
    def test_executions_are_filtered(self, store: RecordStore, which: dict[str, Any], expected: str) -> None:
        _everything(store)
        assert _names(store.executions(ACME, ExecutionFilter(**which))) == [f"e{one}" for one in expected]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    def test_pages_skip_and_repeat_nothing_while_others_write(self, store: RecordStore, limit: int) -> None:
        story = Story(store)
        expected = [story.run(f"t{number}") for number in range(7)][::-1]
        seen: list[str] = []
        after = None
        while True:
            page = store.outputs(ACME, OutputFilter(limit=limit, starting_after=after))
            assert page.has_more == (page.next is not None)
            seen += _names(page)
            story.run(f"new{len(seen)}")
            if page.next is None:
                break
            after = page.next
        assert seen == expected

    def test_execution_pages_go_on_where_the_last_one_ended(self, store: RecordStore) -> None:
        for number in range(5):
            Story(store, f"e{number}")
        first = store.executions(ACME, ExecutionFilter(limit=2))
        rest = store.executions(ACME, ExecutionFilter(limit=3, starting_after=first.next))
        assert (_names(first), first.next, first.has_more) == (["e4", "e3"], "e3", True)
        assert (_names(rest), rest.next, rest.has_more) == (["e2", "e1", "e0"], None, False)

    @pytest.mark.parametrize(
        ("which", "message"),
        [
            ({"limit": 0}, "the limit 0 is out of range\n  expected: 1 to 1000"),
            ({"limit": 1001}, "the limit 1001 is out of range\n  expected: 1 to 1000"),
            ({"starting_after": "e9-t"}, "`e9-t` is not the id of a row to start after"),
            ({"status": ("done",)}, "`done` is not a status\n  expected: one of queued, running, completed, failed, "
             "deleted, stale"),
        ],
        ids=["0", "1001", "after", "status"],
    )  # fmt: skip
    def test_a_wrong_question_is_refused(self, store: RecordStore, which: dict[str, Any], message: str) -> None:
        _everything(store)
        with pytest.raises((Invalid, NotFound)) as caught:
            store.outputs(ACME, OutputFilter(**which))
        assert str(caught.value) == message

    def test_ids_are_found_by_their_beginning(self, store: RecordStore) -> None:
        for name in ("ab1", "ab2", "ac1"):
            Story(store, name).open("t")
        assert store.find_executions(ACME, "ac") == ("ac1",)
        assert len(store.find_executions(ACME, "ab")) == 2
        assert (store.find_executions(ACME, "b"), store.find_executions(OTHER, "ab1")) == ((), ())
        assert store.find_executions(ACME, "%") == ()
        assert store.find_task_executions(ACME, "ac1-") == ("ac1-t",)
        assert store.newest_execution(ACME) == "ac1"
        assert store.newest_execution(OTHER) is None

    def test_tasks_are_shown_in_the_order_they_opened(self, store: RecordStore) -> None:
        story = Story(store)
        for name in "zay":
            story.open(name)
        story.end(TaskKey("a"), 1)
        assert [view.task_name for view in store.task_executions(ACME, "e1")] == ["z", "a", "y"]

    def test_outputs_of_some_tasks_only_when_they_ended(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        story.run("b", 2)
        story.open("c")
        found = store.outputs_of("e1", ["b", "c"])
        assert [(key.task_id, state, stored and stored.text) for key, state, stored in found] == [("b", "SUCCESS", "2")]
        assert [key.task_id for key, _, _ in store.outputs_of("e1", None)] == ["a", "b"]

    def test_logs_are_read_by_task_level_and_place(self, store: RecordStore) -> None:
        story = Story(store)
        for name in "ab":
            story.log(story.open(name), ("DEBUG", f"{name}1"), ("INFO", f"{name}2"), ("ERROR", f"{name}3"))
        lines = store.logs(ACME, "e1", None, ("DEBUG", "INFO", "ERROR"), 0, 100)
        assert [line.message for line in lines] == ["a1", "a2", "a3", "b1", "b2", "b3"]
        assert [line.message for line in store.logs(ACME, "e1", "b", ("INFO", "ERROR"), 0, 9)] == ["b2", "b3"]
        assert [line.message for line in store.logs(ACME, "e1", None, ("ERROR",), lines[2].seq, 9)] == ["b3"]
        assert len(store.logs(ACME, "e1", None, ("DEBUG", "INFO"), 0, 3)) == 3

    def test_logs_are_found_from_both_ends_with_a_text_in_them(self, store: RecordStore) -> None:
        story = Story(store)
        for name in "ab":
            lines = ("DEBUG", f"{name} one"), ("INFO", f"{name} Two [*"), ("ERROR", f"{name} \xc4ther")
            story.log(story.open(name), *lines)

        def found(**which: Any) -> list[str]:
            return [line.message for line in store.product.find_logs(ACME, "e1", LogFilter(**which))]

        assert found(limit=2) == ["a one", "a Two [*"]
        assert found(after=2, limit=2) == ["a \xc4ther", "b one"]
        assert found(before=100, limit=2) == ["b Two [*", "b \xc4ther"]
        assert found(before=5, limit=2) == ["a \xc4ther", "b one"]
        assert found(after=1, before=3) == ["a Two [*"]
        assert found(before=1) == []
        assert (found(find="two"), found(find="\xe4TH")) == (["a Two [*", "b Two [*"], ["a \xc4ther", "b \xc4ther"])
        assert found(find="[*") == found(find="*") == ["a Two [*", "b Two [*"]
        assert found(find="%") == []
        assert (found(level="ERROR"), found(task_name="b", level="INFO")) == (
            ["a \xc4ther", "b \xc4ther"], ["b Two [*", "b \xc4ther"],
        )  # fmt: skip
        (own,) = {line.task_execution_id for line in store.product.find_logs(ACME, "e1", LogFilter(task_name="b"))}
        assert found(task_execution_id=own) == ["b one", "b Two [*", "b \xc4ther"]
        assert store.product.find_logs(OTHER, "e1", LogFilter()) == ()

    def test_a_flow_gets_a_revision_for_each_new_text(self, store: RecordStore) -> None:
        saved = [store.save_flow(ACME, "a", "f", text, local=False, at=at)
                 for at, text in enumerate(["one", "one", "two \0", "one"])]  # fmt: skip
        assert [(view.revision, view.created_at) for view in saved] == [(1, 0), (1, 0), (2, 2), (3, 3)]
        newest, second = store.flow(ACME, "a", "f", None), store.flow(ACME, "a", "f", 2)
        assert newest is not None
        assert second is not None
        assert (newest.revision, second.source) == (3, "two \0")
        assert (store.flow(ACME, "a", "f", 4), store.flow(OTHER, "a", "f", None)) == (None, None)

    def test_flows_are_listed_by_namespace_and_id_in_their_newest_revision(self, store: RecordStore) -> None:
        for namespace, flow_id, text in [("b", "z", "1"), ("b", "a", "1"), ("a", "z", "1"), ("b", "z", "2")]:
            store.save_flow(ACME, namespace, flow_id, text, local=True, at=1)
        assert [(view.namespace, view.flow_id, view.revision, view.source) for view in store.flows(ACME, None)] == [
            ("a", "z", 1, "1"), ("b", "a", 1, "1"), ("b", "z", 2, "2"),
        ]  # fmt: skip
        assert [view.flow_id for view in store.flows(ACME, "b")] == ["a", "z"]

    def test_keys_have_values_and_versions(self, store: RecordStore) -> None:
        store.set_kv(ACME, "a", "k", "1", 10)
        again = store.set_kv(ACME, "a", "k", '{"x":[]}', 20)
        store.set_kv(ACME, "a", "b", "null", 30)
        assert (again.value, again.version, again.updated_at) == ({"x": []}, 2, 20)
        assert [view.key for view in store.kvs(ACME, "a", 99)] == ["b", "k"]
        assert store.kv(ACME, "a", "nope", 99) is None
        assert [store.delete_kv(ACME, "a", "k"), store.delete_kv(ACME, "a", "k")] == [True, False]
        assert store.kv(ACME, "a", "k", 99) is None

    def test_a_namespace_file_is_replaced_by_its_name(self, store: RecordStore) -> None:
        for path, uri in [("b.sql", "storage:///1"), ("a.sql", "storage:///2"), ("b.sql", "storage:///3")]:
            store.save_namespace_file(ACME, "a", path, uri, 1, "00", 1)
        assert store.namespace_files(ACME, "a") == (("a.sql", "storage:///2"), ("b.sql", "storage:///3"))

    def test_one_organization_sees_nothing_of_another(self, store: RecordStore) -> None:
        story = Story(store)
        story.log(story.open("a"), ("INFO", "line"))
        story.end(TaskKey("a"), 1)
        store.set_kv(ACME, TEAM, "k", "1", 1)
        store.save_namespace_file(ACME, TEAM, "f", "storage:///f", 1, "00", 1)
        seen: list[Any] = [
            store.execution(OTHER, "e1"), store.task_execution(OTHER, "e1-a"), store.output(OTHER, "e1-a"),
            store.kv(OTHER, TEAM, "k", 1), store.newest_execution(OTHER), store.flow(OTHER, TEAM, "flow", None),
        ]  # fmt: skip
        lists: list[Any] = [
            store.executions(OTHER, ExecutionFilter()).data, store.outputs(OTHER, OutputFilter()).data,
            store.task_executions(OTHER, "e1"), store.logs(OTHER, "e1", None, ("INFO",), 0, 9),
            store.kvs(OTHER, TEAM, 1), store.namespace_files(OTHER, TEAM), store.find_task_executions(OTHER, "e1"),
            store.flows(OTHER, None),
        ]  # fmt: skip
        assert (seen, lists) == ([None] * 6, [()] * 8)
        assert not store.delete_kv(OTHER, TEAM, "k")
