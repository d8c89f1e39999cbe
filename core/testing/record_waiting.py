"""Rules of record stores: attempts that wait, results that are kept, files with log lines. Part of the contract."""

from __future__ import annotations

from core.host.records import ParentLink, RecordStore
from core.host.requests import KeepResult, SetLabels
from core.model.decisions import HoldTask
from core.model.messages import TaskKey
from core.testing.record_story import ACME, OTHER, Story

A = TaskKey("a")


class WaitingRules:
    """What an attempt that goes on later left behind."""

    def test_an_attempt_that_waits_is_found_with_its_state(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        story.commit(HoldTask(A, 99, '{"n": 1}'))
        (row,) = story.found().tasks
        assert (row.state, row.running, row.due_at, row.wait_state) == ("RUNNING", False, 99, '{"n": 1}')

    def test_one_that_is_called_again_keeps_its_state_and_its_attempt(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        story.commit(HoldTask(A, 99, "{}"))
        story.commit(HoldTask(A, 0))
        (row,) = story.found().tasks
        assert (row.running, row.due_at, row.wait_state, row.attempts) == (True, 0, "{}", 1)

    def test_what_it_stored_and_wants_written_comes_true_when_it_begins_to_wait(self, store: RecordStore) -> None:
        story = Story(store)
        story.open("a")
        files, wishes = (("storage:///early", 1, "00"),), (SetLabels({"early": "yes"}),)
        result = story.result(A, state="RUNNING", files=files, requests=wishes, due_at=99)
        story.commit(HoldTask(A, 99, "{}"), results={A: result})
        view = store.execution(ACME, "e1")
        assert view is not None
        assert view.labels == {"early": "yes"}
        assert store.may_read_file(ACME, "e1", "storage:///early")

    def test_what_an_execution_itself_wants_is_written_too(self, store: RecordStore) -> None:
        Story(store).commit(requests=(SetLabels({"sla": "broken"}),))
        view = store.execution(ACME, "e1")
        assert view is not None
        assert view.labels == {"sla": "broken"}

    # -- results that are kept

    def test_a_kept_result_is_found_until_its_time_is_over(self, store: RecordStore) -> None:
        Story(store).run("a", requests=(KeepResult("k", '"one"', 2000), KeepResult("for ever", '"two"')))
        assert [store.kept_result(ACME, "k", at) for at in (1999, 2000)] == ['"one"', None]
        assert store.kept_result(ACME, "for ever", 10**15) == '"two"'
        assert (store.kept_result(ACME, "other", 0), store.kept_result(OTHER, "k", 0)) == (None, None)

    def test_the_last_result_is_the_one_that_is_kept(self, store: RecordStore) -> None:
        Story(store).run("a", requests=(KeepResult("k", "1"), KeepResult("k", "2")))
        assert store.kept_result(ACME, "k", 0) == "2"

    # -- files with log lines

    def test_files_with_log_lines_are_named_in_the_order_of_tasks_and_attempts(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("b", log_uri="storage:///b")
        story.open("a")
        result = story.result(A, state="RUNNING", log_uri="storage:///a-1", due_at=99)
        story.commit(HoldTask(A, 99, "{}"), results={A: result})
        story.end(A, log_uri="storage:///a-2")
        assert store.log_files("e1") == (
            ("b", 1, "storage:///b"), ("a", 1, "storage:///a-1"), ("a", 1, "storage:///a-2"),
        )  # fmt: skip
        view = store.task_execution(ACME, "e1-a")
        assert view is not None
        assert view.log_uris == ("storage:///a-1", "storage:///a-2")
        assert store.log_files("other") == ()

    # -- files of executions that belong together

    def test_an_execution_may_read_files_of_the_one_that_called_it_and_of_those_it_called(
        self, store: RecordStore
    ) -> None:
        above = Story(store)
        above.open("a")
        link = ParentLink("e1", above.identity_of(A).id, A)
        below = Story(store, "e2", parent=link)
        Story(store, "e3")
        above.end(A, files=(("storage:///above", 1, "00"),))
        below.run("b", files=(("storage:///below", 1, "00"),))
        allowed = {
            (name, uri) for name in ("e1", "e2", "e3") for uri in ("storage:///above", "storage:///below")
            if store.may_read_file(ACME, name, uri)
        }  # fmt: skip
        assert allowed == {(name, uri) for name in ("e1", "e2") for uri in ("storage:///above", "storage:///below")}
        assert not store.may_read_file(OTHER, "e1", "storage:///below")
