"""Rules of record stores: what tasks want written comes true with their results, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from core.host.records import RecordStore
from core.host.requests import (
    DeleteKv,
    DeleteNamespaceFile,
    Exit,
    ForgetFiles,
    LogSpan,
    PurgeExecutions,
    PurgeLogs,
    PutNamespaceFile,
    Request,
    Resume,
    SetKv,
    SetLabels,
    SetVariables,
    UnsetVariables,
)  # fmt: skip
from core.host.views import ExecutionFilter, KvView
from core.model.decisions import EndTask
from core.testing.record_story import ACME, OTHER, TEAM, Story

LATER = 1_000_000
SHARED, OWN = ("storage:///shared", 1, "00"), ("storage:///own", 2, "00")


def value(store: RecordStore, key: str, at: int = LATER) -> Any:
    found = store.kv(ACME, TEAM, key, at)
    return found.value if found else None


def ended(store: RecordStore, name: str, **more: Any) -> Story:
    """An execution that has ended, with a task, a log line and a file of its own."""
    story = Story(store, name, files=(SHARED,), **more)
    story.log(story.open("a"), ("INFO", "one"), ("ERROR", "two"))
    story.end(next(iter(story.names)), {"n": 1}, files=((f"storage:///{name}", 1, "00"),))
    story.finish()
    return story


class RequestRules:
    """Each is harmless twice; a refused unit applies none."""

    # -- keys

    def test_a_key_has_a_time_and_a_description(self, store: RecordStore) -> None:
        Story(store).run("a", requests=(SetKv(TEAM, "k", "1", expires_at=2000, description="a key"),))
        assert store.kv(ACME, TEAM, "k", 1999) == KvView(TEAM, "k", 1, 1, 1020)
        assert (store.kv(ACME, TEAM, "k", 2000), store.kvs(ACME, TEAM, 2000)) == (None, ())
        assert [store.kv_expired(ACME, TEAM, "k", at) for at in (1999, 2000)] == [False, True]
        assert store.kv_expired(ACME, TEAM, "other", 2000) is False
        assert store.kv_keys(ACME, (TEAM,), 2000) == ((TEAM, "k", True),)

    def test_a_key_that_is_set_again_lives_on(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", requests=(SetKv(TEAM, "k", "1", expires_at=2000),))
        store.set_kv(ACME, TEAM, "k", "2", 1500)
        assert value(store, "k") == 2

    def test_a_key_that_is_not_to_be_overwritten_stays_while_it_lives(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", requests=(SetKv(TEAM, "k", "1", expires_at=1045), SetKv(TEAM, "k", "2", overwrite=False)))
        assert value(store, "k", 1030) == 1
        story.run("b", requests=(SetKv(TEAM, "k", "3", overwrite=False),))
        assert value(store, "k", 1040) == 1
        story.run("c", requests=(SetKv(TEAM, "k", "4", overwrite=False),))
        assert value(store, "k") == 4

    def test_keys_go(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", requests=(SetKv(TEAM, "k", "1"), SetKv(TEAM, "old", "1", expires_at=1), SetKv(TEAM, "new", "1")))
        story.run("b", requests=(DeleteKv(TEAM, ("k", "nope")), DeleteKv(TEAM, ("old", "new"), expired_only=True)))
        assert store.kv_keys(ACME, (), LATER) == ((TEAM, "new", False),)

    def test_keys_of_namespaces_and_of_those_below(self, store: RecordStore) -> None:
        for organization, namespace in ((ACME, "a"), (ACME, "a.b"), (ACME, "ab"), (OTHER, "a")):
            store.set_kv(organization, namespace, "k", "1", 1)
        found = {which: [entry[0] for entry in store.kv_keys(ACME, which, 1)] for which in ((), ("a",), ("a.*",))}
        assert found == {(): ["a", "a.b", "ab"], ("a",): ["a"], ("a.*",): ["a", "a.b"]}

    # -- the execution itself

    def test_labels_are_added_and_replaced(self, store: RecordStore) -> None:
        story = Story(store, labels={"a": "1", "b": "1"})
        story.run("a", requests=(SetLabels({"b": "2", "c": "2"}),))
        assert self._view(store).labels == {"a": "1", "b": "2", "c": "2"}
        assert [one.id for one in store.executions(ACME, ExecutionFilter(label=("b:2",))).data] == ["e1"]
        assert store.executions(ACME, ExecutionFilter(label=("b:1",))).data == ()

    def test_variables_begin_as_the_flows_and_are_merged(self, store: RecordStore) -> None:
        story, before = Story(store), '{"day":"monday","map":{"x":1,"y":1}}'
        assert self._view(store).variables is None
        story.run("a", requests=(SetVariables('{"map":{"x":2},"n":1}', before),))
        story.run("b", requests=(SetVariables('{"day":{"is":"tuesday"}}', before),))
        assert self._view(store).variables == {"day": {"is": "tuesday"}, "map": {"x": 2, "y": 1}, "n": 1}
        story.run("c", requests=(UnsetVariables(("map.x", "n", "nope", "day.is.deeper"), before),))
        assert self._view(store).variables == {"day": {"is": "tuesday"}, "map": {"y": 1}}
        assert story.found().view.variables == {"day": {"is": "tuesday"}, "map": {"y": 1}}

    def test_variables_are_taken_from_the_flows_too(self, store: RecordStore) -> None:
        Story(store).run("a", requests=(UnsetVariables(("n",), '{"n":1,"m":2}'),))
        assert self._view(store).variables == {"m": 2}

    def test_an_exit_is_for_the_planner(self, store: RecordStore) -> None:
        Story(store).run("a", requests=(Exit("FAILED"),))
        assert self._view(store).state == "CREATED"

    def test_a_resume_is_a_message_to_an_execution_of_the_organization(self, store: RecordStore) -> None:
        story = Story(store)
        Story(store, "e2")
        Story(store, "e3", organization=OTHER)
        store.changed()
        story.run("a", requests=(Resume("e2", '{"x":1}'), Resume("e3", "{}"), Resume("nope", "{}")))
        assert store.changed()
        found = [(row[1], row[2], row[3]) for row in store.unread(["e2", "e3"]) if row[2] != "start"]
        assert found == [("e2", "resume", '{"inputs":{"x":1}}')]

    # -- files

    def test_namespace_files_come_and_go(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", requests=(PutNamespaceFile(TEAM, "a/b.sql", "storage:///x", 1, "00"),) * 2)
        assert store.namespace_files(ACME, TEAM) == (("a/b.sql", "storage:///x"),)
        assert (store.file_namespaces(ACME), store.file_namespaces(OTHER)) == ((TEAM,), ())
        story.run("b", requests=(DeleteNamespaceFile(TEAM, "a/b.sql"),) * 2)
        assert (store.namespace_files(ACME, TEAM), store.file_namespaces(ACME)) == ((), ())

    def test_a_file_that_is_gone_is_forgotten(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", files=(OWN, SHARED))
        assert store.own_files(ACME, "e1") == ("storage:///own", "storage:///shared")
        story.run("b", requests=(ForgetFiles(("storage:///own", "storage:///nope")),))
        assert store.own_files(ACME, "e1") == ("storage:///shared",)
        assert store.may_read_file(ACME, "e1", "storage:///own") is False

    def test_the_body_of_an_output_is_no_file_of_its_own(self, store: RecordStore) -> None:
        body = ("storage:///body", 9, "00")
        Story(store).run("a", output=None, output_uri=body[0], size=9, files=(OWN, body))
        assert store.own_files(ACME, "e1") == ("storage:///own",)

    # -- purging

    def test_what_executions_have_is_counted(self, store: RecordStore) -> None:
        ended(store, "e1")
        ended(store, "e2", flow_id="two")
        ended(store, "e3", organization=OTHER)
        assert store.weight_of(ACME, ("e1", "e2", "e3")) == (4, 0, 4)
        assert store.count_executions(ACME, ExecutionFilter()) == ((TEAM, "flow", 1), (TEAM, "two", 1))
        assert store.count_executions(ACME, ExecutionFilter(flow_id=("two",))) == ((TEAM, "two", 1),)

    def test_ended_executions_are_purged_and_their_files_doomed(self, store: RecordStore) -> None:
        ended(store, "e1")
        ended(store, "e2")
        ended(store, "e4", organization=OTHER)
        story = Story(store, "e3")
        story.run("a", requests=(PurgeExecutions(("e1", "e3", "e4", "nope")),) * 2)
        assert [store.execution(ACME, name) is None for name in ("e1", "e2", "e3")] == [True, False, False]
        assert store.execution(OTHER, "e4") is not None
        assert store.doomed_files(ACME, 9) == ("storage:///e1",)
        store.files_removed(ACME, ("storage:///e1",))
        assert store.doomed_files(ACME, 9) == ()

    def test_an_execution_never_purges_itself(self, store: RecordStore) -> None:
        story = Story(store)
        key = story.open("a")
        story.finish()
        story.end(key, 1, requests=(PurgeExecutions(("e1",)),))
        assert store.execution(ACME, "e1") is not None

    def test_what_is_to_be_kept_of_an_execution_is_kept(self, store: RecordStore) -> None:
        ended(store, "e1")
        story = Story(store, "e2")
        story.run("a", requests=(PurgeExecutions(("e1",), executions=False, logs=True, files=False),))
        assert (store.weight_of(ACME, ("e1",)), store.output(ACME, "e1-a") is None) == ((0, 0, 2), False)
        story.run("b", requests=(PurgeExecutions(("e1",), executions=True, files=False),))
        assert (store.execution(ACME, "e1"), store.doomed_files(ACME, 9)) == (None, ())
        assert store.own_files(ACME, "e1") == ("storage:///e1", "storage:///shared")

    def test_a_namespace_file_that_was_an_input_is_not_doomed(self, store: RecordStore) -> None:
        store.save_namespace_file(ACME, TEAM, "shared", SHARED[0], 1, "00", 1)
        ended(store, "e1")
        Story(store, "e2").run("a", requests=(PurgeExecutions(("e1",)),))
        assert store.doomed_files(ACME, 9) == ("storage:///e1",)

    @pytest.mark.parametrize(
        ("span", "left"),
        [
            (LogSpan(LATER), [[], []]),
            (LogSpan(0), [["one", "two"], ["one", "two"]]),
            (LogSpan(LATER, after=LATER), [["one", "two"], ["one", "two"]]),
            (LogSpan(LATER, execution_id="e1"), [[], ["one", "two"]]),
            (LogSpan(LATER, flow_id="two"), [["one", "two"], []]),
            (LogSpan(LATER, namespace="company"), [[], []]),
            (LogSpan(LATER, namespace="comp"), [["one", "two"], ["one", "two"]]),
            (LogSpan(LATER, namespace=TEAM, flow_id="flow"), [[], ["one", "two"]]),
            (LogSpan(LATER, namespace="company", flow_id="flow"), [["one", "two"], ["one", "two"]]),
            (LogSpan(LATER, levels=("ERROR",)), [["one"], ["one"]]),
        ],
    )
    def test_logs_are_counted_and_purged(self, store: RecordStore, span: LogSpan, left: list[list[str]]) -> None:
        ended(store, "e1")
        ended(store, "e2", flow_id="two")
        ended(store, "e3", organization=OTHER)
        assert store.count_logs(ACME, span) == 4 - sum(map(len, left))
        Story(store, "e4").run("a", requests=(PurgeLogs(span),))
        lines = [store.logs(organization, name, None, ("INFO", "ERROR"), 0, 9)
                 for organization, name in ((ACME, "e1"), (ACME, "e2"), (OTHER, "e3"))]  # fmt: skip
        assert [[line.message for line in found] for found in lines] == [*left, ["one", "two"]]

    # -- all or nothing

    @pytest.mark.parametrize(
        "request_",
        [
            SetKv(TEAM, "k", "2"),
            DeleteKv(TEAM, ("k",)),
            SetLabels({"a": "2"}),
            SetVariables('{"a":1}', "{}"),
            UnsetVariables(("a",), '{"a":1}'),
            Resume("e2", "{}"),
            PutNamespaceFile(TEAM, "b", "storage:///b", 1, "00"),
            DeleteNamespaceFile(TEAM, "a"),
            ForgetFiles(("storage:///shared",)),
            PurgeExecutions(("e2",)),
            PurgeLogs(LogSpan(LATER)),
        ],
        ids=lambda request_: type(request_).__name__,
    )
    def test_a_refused_result_applies_nothing(self, store: RecordStore, request_: Request) -> None:
        ended(store, "e2")
        store.set_kv(ACME, TEAM, "k", "1", 1)
        store.save_namespace_file(ACME, TEAM, "a", "storage:///a", 1, "00", 1)
        story = Story(store, labels={"a": "1"}, files=(SHARED,))
        key = story.open("a")
        before = self._all(store)
        results = {key: story.result(key, requests=(request_,))}
        (refused,) = story.commit(EndTask(key, "SUCCESS"), results=results, fence=story.fence - 1)
        assert (refused.execution_id, self._all(store)) == ("e1", before)
        assert story.commit(EndTask(key, "SUCCESS"), results=results) == ()
        assert self._all(store) != before
        assert len(story.commit(EndTask(key, "SUCCESS"), results=results)) == 1

    def _all(self, store: RecordStore) -> list[object]:
        """What requests can change."""
        view = self._view(store)
        return [
            store.kvs(ACME, TEAM, LATER), view.labels, view.variables, store.unread(["e2"]),
            store.namespace_files(ACME, TEAM), store.own_files(ACME, "e1"), store.weight_of(ACME, ("e2",)),
        ]  # fmt: skip

    def _view(self, store: RecordStore) -> Any:
        return store.execution(ACME, "e1")
