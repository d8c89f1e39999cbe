"""What ran, what depends on what, and what lists amount to: a part of `RecordStoreContract`."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Invalid
from core.host.overviews import DayCount, Lineage, PastRun, ReadLink, SummaryPoint, TaskDurations, TaskOutline
from core.host.product import NewOutput
from core.host.records import NewExecution, RecordStore
from core.host.seam import Read
from core.host.views import OutputFilter
from core.model.decisions import Counters, EndTask, MoveTask, OpenTask, Remember, ReopenTask
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.testing.record_story import ACME, OTHER, TEAM, Story

DAY = 24 * 60 * 60 * 1_000_000
SECOND = 1_000_000
FLOW = (TEAM, "flow")


def _outline(store: RecordStore, execution_id: str = "e1") -> dict[str, TaskOutline]:
    return {one.task_name: one for one in store.product.outline(ACME, execution_id)}


def _asked(story: Story, key: TaskKey, purpose: str, *reads: Read, round: int = 0) -> None:
    """An evaluation for a task read something."""
    asked = EvaluationKey(key, purpose, round)
    story.commit(Remember(asked, True), evaluated={asked: reads})


class OutlineRules:
    """What ran, one for each task."""

    def test_a_task_that_ran_once_is_told_as_it_is(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", {"x": 1})
        assert store.product.outline(ACME, "e1") == (
            TaskOutline("a", "debug.Return", None, 1, {"SUCCESS": 1}, 1010, 1010, 1020, "e1-a", 7),
        )  # fmt: skip
        assert store.product.outline(OTHER, "e1") == ()
        assert store.product.outline(ACME, "nope") == ()

    def test_task_executions_of_one_task_are_counted_by_their_states(self, store: RecordStore) -> None:
        story = Story(store)
        loop = story.group("loop")
        states = ("SUCCESS", "FAILED", "SUCCESS", "WARNING", "FAILED", "KILLED", "SUCCESS")
        for number, state in enumerate(states):
            story.run("each", number, state, path=(f"v{number}",), parent=loop)
        each = _outline(store)["each"]
        assert (each.count, each.parent, each.output_size) == (7, "loop", 7)
        assert each.states == {"SUCCESS": 3, "FAILED": 2, "WARNING": 1, "KILLED": 1}
        assert (each.id, each.created_at, each.ended_at) == ("e1-each-v4", 1020, 1150)

    def test_the_newest_stands_for_all_where_none_failed(self, store: RecordStore) -> None:
        story = Story(store)
        for number in range(3):
            story.run("each", number, ("SUCCESS", "WARNING", "SKIPPED")[number], path=(f"v{number}",))
        assert _outline(store)["each"].id == "e1-each-v2"

    def test_a_killed_one_is_shown_where_none_failed_by_itself(self, store: RecordStore) -> None:
        story = Story(store)
        for number, state in enumerate(("KILLED", "SUCCESS")):
            story.run("each", number, state, path=(f"v{number}",))
        assert _outline(store)["each"].id == "e1-each-v0"

    def test_what_is_open_has_no_end(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("each", 1, path=("a",))
        story.open("each", ("b",))
        each = _outline(store)["each"]
        assert (each.states, each.ended_at) == ({"SUCCESS": 1, "RUNNING": 1}, None)

    def test_tasks_are_in_the_order_in_which_they_first_began(self, store: RecordStore) -> None:
        story = Story(store)
        for name in ("z", "m", "a", "m"):
            story.run(name, turn=1 if name in _outline(store) else 0)
        found = [(one.task_name, one.count) for one in store.product.outline(ACME, "e1")]
        assert found == [("z", 1), ("m", 2), ("a", 1)]

    def test_it_began_when_the_first_one_ran(self, store: RecordStore) -> None:
        story = Story(store)
        first, second, never = TaskKey("each", ("a",)), TaskKey("each", ("b",)), TaskKey("never")
        story.commit(OpenTask(first, ROOT, "CREATED"))
        story.commit(EndTask(first, "SKIPPED"))
        story.commit(OpenTask(second, ROOT, "CREATED"))
        story.commit(OpenTask(never, ROOT, "CREATED"))
        assert [one.started_at for one in store.product.outline(ACME, "e1")] == [None, None]
        story.commit(MoveTask(second, "RUNNING", Counters(), entered=True))
        found = _outline(store)
        assert (found["each"].created_at, found["each"].started_at, found["never"].started_at) == (1010, 1050, None)

    def test_outputs_of_outside_workers_did_not_run(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        new = NewOutput("x1", "e1", "review", "SUCCESS", 9000)
        store.product.add_output(ACME, new, once=None, by="k", at=9000)
        assert list(_outline(store)) == ["a"]

    def test_other_executions_are_left_aside(self, store: RecordStore) -> None:
        one, other = Story(store), Story(store, "e2")
        one.run("a", 1)
        other.run("a", 1, "FAILED")
        one.run("b", 1)
        assert {name: found.states for name, found in _outline(store).items()} == {
            "a": {"SUCCESS": 1}, "b": {"SUCCESS": 1},
        }  # fmt: skip


class LineageRules:
    """What an output was made from, and who read it."""

    def test_links_lead_to_both_sides(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", {"v": 1}, reads=(Read("inputs.x"),))
        story.run("b", 2, reads=(Read("outputs.a.v", "a"), Read("vars.y")))
        story.run("c", 3, reads=(Read("outputs.b", "b"),))
        assert store.product.lineage(ACME, "e1-b") == Lineage(
            (ReadLink("outputs.a.v", "e1-a", "a"), ReadLink("vars.y", None)), (ReadLink("outputs.b", "e1-c", "c"),)
        )  # fmt: skip
        assert store.product.lineage(ACME, "e1-a").sources == (ReadLink("inputs.x", None),)
        assert store.product.lineage(OTHER, "e1-b") == store.product.lineage(ACME, "nope") == Lineage((), ())

    def test_what_was_evaluated_for_a_task_says_what_for(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", {"v": 1})
        key = story.open("b")
        for round in (0, 1):
            _asked(story, key, "run_if", Read("outputs.a.v", "a"), round=round)
        _asked(story, key, "request 2", Read("outputs.a.v", "a"))
        _asked(story, ROOT, "outputs", Read("outputs.a.v", "a"))
        story.end(key, 2)
        assert set(store.product.lineage(ACME, "e1-a").readers) == {
            ReadLink("outputs.a.v", "e1-b", "b", None, "runIf"), ReadLink("outputs.a.v", "e1-b", "b"),
            ReadLink("outputs.a.v", None, "", None, "outputs"),
        }  # fmt: skip
        assert set(store.product.lineage(ACME, "e1-b").sources) == {
            ReadLink("outputs.a.v", "e1-a", "a", None, "runIf"), ReadLink("outputs.a.v", "e1-a", "a"),
        }  # fmt: skip

    @pytest.mark.parametrize("path", [("x",), ("x/y",), ("x", "y/z"), ("/", ""), ("long" * 300,)], ids=str)
    def test_an_evaluation_in_a_loop_belongs_to_its_iteration(self, store: RecordStore, path: tuple[str, ...]) -> None:
        story = Story(store)
        story.run("a", 1)
        others = [("q", *path[1:]), (*path[:-1], "run_if"), tuple("x" * 3 for _ in path)]
        for each in (path, *others):
            key = story.open("b", each)
            what = "outputs.a" if each == path else "inputs.x"
            _asked(story, key, "run_if", Read(what, "a" if each == path else ""))
        expected = story.identity_of(TaskKey("b", path)).id
        assert store.product.lineage(ACME, "e1-a").readers == (ReadLink("outputs.a", expected, "b", path[-1], "runIf"),)
        assert store.product.lineage(ACME, expected).sources == (ReadLink("outputs.a", "e1-a", "a", None, "runIf"),)

    def test_who_read_a_whole_loop_read_each_of_it(self, store: RecordStore) -> None:
        story = Story(store)
        for value in "xy":
            story.run("each", 1, path=(value,))
        story.run("after", 1, reads=(Read("outputs.each", "each"),))
        assert store.product.lineage(ACME, "e1-each-x").readers == (ReadLink("outputs.each", "e1-after", "after"),)
        assert store.product.lineage(ACME, "e1-after").sources == (ReadLink("outputs.each", None, "each"),)

    def test_the_values_of_loops_stand_beside_the_names(self, store: RecordStore) -> None:
        story = Story(store)
        for value in "xy":
            story.run("one", 1, path=(value,))
            story.run("two", 1, path=(value,), reads=(Read(f"outputs.one.{value}", "one"),))
        assert store.product.lineage(ACME, "e1-two-y").sources == (ReadLink("outputs.one.y", "e1-one-y", "one", "y"),)
        assert store.product.lineage(ACME, "e1-one-x").readers == (ReadLink("outputs.one.x", "e1-two-x", "two", "x"),)

    def test_of_very_many_links_the_first_are_told(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        for number in range(201):
            story.run("each", 1, path=(str(number),), reads=(Read("outputs.a", "a"),))
        found = store.product.lineage(ACME, "e1-a")
        assert (len(found.readers), found.sources, found.more) == (200, (), True)
        story.run("b", 1, reads=tuple(Read(f"inputs.x{number}") for number in range(201)))
        assert len(store.product.lineage(ACME, "e1-b").sources) == 200
        assert store.product.lineage(ACME, "e1-b").more

    def test_a_copy_was_made_from_what_was_copied_with_it(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1)
        story.run("b", 2, reads=(Read("outputs.a", "a"),))
        story.finish()
        new = NewExecution("e2", ACME, TEAM, "flow", 1, "{}", {}, (), 9000)
        store.derive(new, "e1", (TaskKey("a"), TaskKey("b")))
        copies = {view.task_name: view.id for view in store.task_executions(ACME, "e2")}
        assert store.product.lineage(ACME, copies["b"]).sources == (ReadLink("outputs.a", copies["a"], "a"),)
        assert store.product.lineage(ACME, copies["a"]).readers == (ReadLink("outputs.a", copies["b"], "b"),)


class FigureRules:
    """What a list of task outputs amounts to."""

    def test_rows_are_counted_by_day_and_status(self, store: RecordStore) -> None:
        for number, at in enumerate((0, DAY - 100, DAY, DAY + 5)):
            story = Story(store, f"e{number}", at=at)
            story.run("a", 1, "FAILED" if number == 3 else "SUCCESS")
            story.run("b", 1, reads=(Read("outputs.a", "a"),))
        store.mark_stale("e0-a", 5)
        store.product.set_output_deleted(ACME, "e2-a", True, by="k", at=9)
        assert store.product.figures(ACME, OutputFilter()).per_day == (
            DayCount("1970-01-01", "completed", 3), DayCount("1970-01-01", "stale", 1),
            DayCount("1970-01-02", "completed", 2), DayCount("1970-01-02", "failed", 1),
        )  # fmt: skip
        found = store.product.figures(ACME, OutputFilter(status=("deleted", "stale")))
        assert found.per_day == (DayCount("1970-01-01", "stale", 1), DayCount("1970-01-02", "deleted", 1))
        assert (found.examined, found.whole) == (2, True)
        assert store.product.figures(OTHER, OutputFilter()).per_day == ()

    def test_how_long_tasks_took_is_told_from_their_first_running_on(self, store: RecordStore) -> None:
        story = Story(store)
        for number in range(20):
            key = story.open("slow", (str(number),))
            story.at += number * SECOND - 10
            story.end(key, 1)
        story.run("quick", 1)
        story.open("quick", ("open",))
        assert store.product.figures(ACME, OutputFilter()).durations == (
            TaskDurations("slow", 20, 9.5, 18.0, 19.0), TaskDurations("quick", 1, 0.00001, 0.00001, 0.00001),
        )  # fmt: skip

    def test_a_task_that_was_restarted_took_as_long_as_the_last_time(self, store: RecordStore) -> None:
        story = Story(store)
        key = story.open("a")
        story.at += 7 * SECOND
        story.end(key, 1, "FAILED")
        story.next_attempt(key)
        story.commit(ReopenTask(key, ROOT, "RUNNING", attempt=True))
        story.at += 2 * SECOND - 10
        story.end(key, 1)
        (view,) = store.task_executions(ACME, "e1")
        (found,) = store.product.figures(ACME, OutputFilter()).durations
        assert found == TaskDurations("a", 1, 2.0, 2.0, 2.0)
        assert view.duration == 2.0

    def test_numbers_of_summaries_are_named_the_most_common_first(self, store: RecordStore) -> None:
        story = Story(store)
        summaries: tuple[dict[str, Any], ...] = (
            {"rows": 1, "ok": True, "kind": "csv"}, {"rows": 2.5, "at": {"x": 3}}, {"rows": "many", "a.b": 1},
            {"a.b": 2}, {"at": {"x": 4}, "ok": False}, {},
        )  # fmt: skip
        for number, summary in enumerate(summaries):
            story.run(f"t{number}", 1, summary=summary)
        found = store.product.figures(ACME, OutputFilter())
        assert found.summary_paths == ("a.b", "at.x", "rows")
        assert store.product.figures(ACME, OutputFilter(task_name=("t0",))).summary_paths == ("rows",)

    def test_of_very_many_rows_the_newest_are_looked_at(
        self, store: RecordStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.records.figures.EXAMINED", 3)
        for number in range(2):
            story = Story(store, f"e{number}", at=DAY * number)
            for name in ("a", "b"):
                story.run(name, 1)
        found = store.product.figures(ACME, OutputFilter())
        assert (found.examined, found.whole) == (3, False)
        assert found.per_day == (DayCount("1970-01-01", "completed", 1), DayCount("1970-01-02", "completed", 2))
        found = store.product.figures(ACME, OutputFilter(flow_execution_id=("e0",)))
        assert (found.examined, found.whole) == (2, True)
        story.run("c", 1)
        assert store.product.figures(ACME, OutputFilter(flow_execution_id=("e1",))).whole

    def test_a_number_is_told_over_time(self, store: RecordStore) -> None:
        story = Story(store)
        for number, value in enumerate((5, "text", 7.5, True, 2, 8)):
            story.run(f"t{number % 2}", 1, turn=number, summary={"rows": {"in": value}})
        points = store.product.summary_over_time(ACME, OutputFilter(), "rows.in", 500)
        assert [point.value for point in points] == [5, 7.5, 1, 2, 8]
        assert points[0] == SummaryPoint("e1-t0", "t0", 1010, 5.0)
        newest = store.product.summary_over_time(ACME, OutputFilter(task_name=("t0",)), "rows.in", 2)
        assert [point.value for point in newest] == [7.5, 2]
        assert store.product.summary_over_time(ACME, OutputFilter(), "rows", 500) == ()
        assert store.product.summary_over_time(OTHER, OutputFilter(), "rows.in", 500) == ()
        with pytest.raises(Invalid) as caught:
            store.product.summary_over_time(ACME, OutputFilter(), "rows.in", 1001)
        assert str(caught.value) == "the limit 1001 is out of range\n  expected: 1 to 1000"

    def test_how_flows_went_lately(self, store: RecordStore) -> None:
        for number in range(4):
            story = Story(store, f"e{number}", at=1000 * number)
            story.move("RUNNING")
            if number != 2:
                story.at += number * SECOND - 10
                story.finish("FAILED" if number == 1 else "SUCCESS")
        Story(store, "e9", organization=OTHER)
        store.product.set_execution_deleted(ACME, "e0", True, by="k", at=1)
        runs = store.product.past_runs(ACME, [FLOW, (TEAM, "other"), FLOW], 2)
        assert runs == {
            FLOW: (PastRun("e2", "RUNNING", 2000, None), PastRun("e3", "SUCCESS", 3000, 3.0)), (TEAM, "other"): (),
        }  # fmt: skip
        assert [run.id for run in store.product.past_runs(ACME, [FLOW], 20)[FLOW]] == ["e1", "e2", "e3"]
        assert store.product.past_runs(ACME, [], 20) == {}
        many = [(TEAM, f"f{number}") for number in range(120)]
        assert list(store.product.past_runs(ACME, [*many, FLOW], 1)) == [*many, FLOW]
