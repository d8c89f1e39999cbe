"""What people and outside workers change of task outputs: corrected, tagged, hidden, added, and told in the audit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.app import App
from core.errors import Conflict, Invalid, NotFound, TailraceError, TooLarge
from core.host.product import AuditFilter, Once
from core.host.views import OutputFilter, TaskExecutionView
from core.sdk.storage import storage_path

FLOW = """
id: f
namespace: company.team
tasks:
  - {id: a, type: debug.Return, format: one}
  - {id: b, type: debug.Return, format: "{{ outputs.a.value }} two"}
  - {id: c, type: debug.Return, format: "{{ outputs.b.value }} three"}
  - {id: apart, type: debug.Return, format: alone}
"""
ADA = "key-of-ada"


@pytest.fixture
def run_id(app: App) -> str:
    return app.run(FLOW).id


def task(app: App, run_id: str, name: str) -> TaskExecutionView:
    return app.outputs.get(f"{run_id}/{name}")


def stored_files(app: App) -> set[str]:
    return {file.uri for file in app.files.list("storage:///")}


def message(error: pytest.ExceptionInfo[TailraceError]) -> str:
    return str(error.value)


# -- correcting


def test_a_corrected_output_is_what_everybody_reads(app: App, run_id: str) -> None:
    before = task(app, run_id, "a")
    corrected, _ = app.changes.correct(before.id, before.version, by=ADA, output={"value": "uno", "n": [1, None]})

    assert app.outputs.value(before.id) == {"value": "uno", "n": [1, None]}
    assert (corrected.version, corrected.modified_by, corrected.state) == (before.version + 1, ADA, "SUCCESS")
    assert corrected == task(app, run_id, "a")
    assert corrected.output_preview == '{"value":"uno","n":[1,null]}'
    assert corrected.output_size == len('{"value":"uno","n":[1,null]}')
    assert app.evaluator.evaluate(run_id, "outputs.a.value").value == "uno"


def test_what_read_it_straight_or_through_others_is_stale(app: App, run_id: str) -> None:
    before = task(app, run_id, "a")
    corrected, stale = app.changes.correct(before.id, before.version, by=ADA, output={"value": "uno"})

    assert set(stale) == {task(app, run_id, "b").id, task(app, run_id, "c").id}
    assert [task(app, run_id, name).status for name in ("a", "b", "c", "apart")] == [
        "completed", "stale", "stale", "completed",
    ]  # fmt: skip
    assert corrected.stale_since is None


def test_only_what_is_given_changes(app: App, run_id: str) -> None:
    before = task(app, run_id, "a")
    tagged, _ = app.changes.correct(before.id, 1, by=ADA, tags={"checked": "yes"})
    summed, _ = app.changes.correct(before.id, 2, by=ADA, summary={"rows": 3})

    assert (tagged.tags, tagged.summary) == ({"checked": "yes"}, before.summary)
    assert (summed.tags, summed.summary) == ({"checked": "yes"}, {"rows": 3})
    assert app.outputs.value(before.id) == {"value": "one"}


def test_an_output_of_nothing_is_an_output_too(app: App, run_id: str) -> None:
    corrected, stale = app.changes.correct(task(app, run_id, "a").id, 1, by=ADA, output=None)

    assert (app.outputs.value(corrected.id), corrected.output_size, len(stale)) == (None, 4, 2)


def test_names_that_the_codec_uses_are_only_names(app: App, run_id: str) -> None:
    """Nobody makes a secret's value appear by writing its reference into an output."""
    told = {"value": {"$secret": [["TOKEN"]]}}
    corrected, _ = app.changes.correct(task(app, run_id, "a").id, 1, by=ADA, output=told)

    assert app.outputs.value(corrected.id) == told


def test_another_version_is_a_conflict_and_leaves_no_file(app: App, run_id: str) -> None:
    output_id = task(app, run_id, "a").id
    app.changes.correct(output_id, 1, by=ADA, tags={"x": "y"})
    before = stored_files(app)
    with pytest.raises(Conflict):
        app.changes.correct(output_id, 1, by=ADA, output={"value": "x" * 2000})

    assert stored_files(app) == before
    assert app.outputs.value(output_id) == {"value": "one"}


def test_a_large_output_lies_in_storage_beside_the_files_of_its_execution(app: App, run_id: str) -> None:
    large = {"value": "x" * 2000}
    corrected, _ = app.changes.correct(task(app, run_id, "a").id, 1, by=ADA, output=large)

    (uri,) = stored_files(app)
    home = f"storage:///company/team/f/executions/{run_id}/tasks/a/{corrected.id}/corrected/"
    assert uri.startswith(home)
    assert uri.endswith("/output.json")
    assert app.outputs.value(corrected.id) == large
    assert app.outputs.values([corrected.id]) == {}
    opened = app.outputs.open(corrected.id)
    assert opened is not None
    body, size = opened
    with body:
        body.seek(10)
        assert body.read(3) == b"xxx"
    assert size == corrected.output_size == len(json.dumps(large, separators=(",", ":")))
    assert app.executions.replay(run_id, from_task="b").id != run_id


def test_a_corrected_output_may_name_stored_files_of_others(app: App, run_id: str) -> None:
    other = app.run(FLOW)
    path = "company/team/elsewhere.csv"
    given = app.settings.home / "given.csv"
    given.write_text("n\n1\n", "utf-8")
    file = app.storage.put("default", path, given)
    assert not app.records.may_read_file("default", other.id, file.uri)

    output = {"value": {"deep": [file.uri]}, "gone": "storage:///company/team/none.csv"}
    app.changes.correct(task(app, other.id, "a").id, 1, by=ADA, output=output)

    assert app.records.may_read_file("default", other.id, file.uri)
    assert not app.records.may_read_file("default", run_id, file.uri)
    assert not app.records.may_read_file("default", other.id, "storage:///company/team/none.csv")


def test_only_stale_work_runs_again_after_a_correction(app: App, run_id: str) -> None:
    app.changes.correct(task(app, run_id, "a").id, 1, by=ADA, output={"value": "uno"})
    again = app.executions.run(app.executions.replay(run_id, stale=True).id)

    assert app.outputs.value(f"{again.id}/c") == {"value": "uno two three"}
    ran = {view.task_name for view in app.executions.tasks(again.id) if view.attempts[-1].started_at > again.created_at}
    assert ran == {"b", "c"}


# -- tags, hiding


def test_tags_change_of_all_or_of_none(app: App, run_id: str) -> None:
    ids = [task(app, run_id, name).id for name in ("a", "b")]
    app.changes.tag(ids, {"team": "blue", "old": "1"}, (), by=ADA)
    app.changes.tag(ids[:1], {"team": "red"}, ("old",), by=ADA)

    assert [task(app, run_id, name).tags for name in ("a", "b", "c")] == [
        {"team": "red"}, {"team": "blue", "old": "1"}, {},
    ]  # fmt: skip
    with pytest.raises(NotFound):
        app.changes.tag([*ids, "nobody"], {"team": "green"}, (), by=ADA)
    assert task(app, run_id, "a").tags == {"team": "red"}
    assert [view.task_name for view in app.outputs.list(OutputFilter(tag=("team:blue",))).data] == ["b"]


def test_an_output_is_hidden_and_comes_back(app: App, run_id: str) -> None:
    output_id = task(app, run_id, "a").id
    app.changes.delete_output(output_id, by=ADA)
    app.changes.delete_output(output_id, by=ADA)

    assert output_id not in {view.id for view in app.outputs.list(OutputFilter()).data}
    assert app.outputs.count(OutputFilter()) == 3
    assert app.outputs.count(OutputFilter(status=("deleted",), flow_execution_id=(run_id[:20],))) == 1
    assert app.changes.restore_output(output_id, by=ADA).status == "completed"
    assert app.outputs.count(OutputFilter()) == 4


def test_an_execution_is_hidden_and_comes_back(app: App, run_id: str) -> None:
    app.changes.delete_execution(run_id, by=ADA)
    assert app.outputs.count(OutputFilter()) == 0

    assert app.changes.restore_execution(run_id, by=ADA).id == run_id
    assert app.outputs.count(OutputFilter()) == 4


# -- outside workers


def test_an_outside_worker_gives_an_output_to_an_execution(app: App, run_id: str) -> None:
    added = app.changes.add_output(
        run_id, "gpu", by=ADA, value="x/1", output={"score": 0.5}, summary={"score": 0.5}, tags={"model": "m"}
    )

    assert (added.task_name, added.type, added.state, added.value) == ("gpu", "external", "SUCCESS", "x/1")
    assert (added.summary, added.tags, added.modified_by) == ({"score": 0.5}, {"model": "m"}, ADA)
    assert (added.flow_execution_id, added.namespace, added.flow_id) == (run_id, "company.team", "f")
    assert app.outputs.value(added.id) == {"score": 0.5}
    assert added.id in {view.id for view in app.outputs.list(OutputFilter(task_name=("gpu",))).data}


def test_an_outside_worker_may_have_failed(app: App, run_id: str) -> None:
    added = app.changes.add_output(run_id, "gpu", by=ADA, status="failed", error="out of memory")

    assert (added.state, added.status, added.error, added.output_size) == ("FAILED", "failed", "out of memory", None)
    assert app.outputs.open(added.id) is None
    assert app.outputs.value(added.id) is None


def test_the_same_request_again_is_the_same_output(app: App, run_id: str) -> None:
    large = {"text": "x" * 2000}
    first = app.changes.add_output(run_id, "gpu", by=ADA, output=large, once=Once("k", "d1"))
    files = stored_files(app)
    again = app.changes.add_output(run_id, "gpu", by=ADA, output=large, once=Once("k", "d1"))

    assert again == first
    assert stored_files(app) == files
    with pytest.raises(Conflict):
        app.changes.add_output(run_id, "gpu", by=ADA, output={"other": 1}, once=Once("k", "d2"))
    assert app.outputs.value(first.id) == large


def test_a_task_of_the_flow_is_the_engines(app: App, run_id: str) -> None:
    before = stored_files(app)
    with pytest.raises(Conflict):
        app.changes.add_output(run_id, "a", by=ADA, output={"value": "x" * 2000})
    assert stored_files(app) == before


# -- what is refused


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        ({"tags": {"a:b": "x"}}, Invalid, "`a:b` can't be the key of a tag\n  expected: a short text without `:`"),
        ({"tags": {"": "x"}}, Invalid, "`` can't be the key of a tag\n  expected: a short text without `:`"),
        ({"tags": {"k": 1}}, Invalid, "the value of the tag `k` is no text\n  expected: a short text"),
        ({"tags": {"k" * 129: "x"}}, TooLarge, "the key of a tag has 129 characters\n  expected: at most 128"),
        (
            {"tags": {"k": "x" * 1025}},
            TooLarge,
            "the value of the tag `k` has 1025 characters\n  expected: at most 1024",
        ),
        ({"tags": {str(n): "" for n in range(65)}}, TooLarge, "65 tags are too many\n  expected: at most 64"),
        ({"summary": [1]}, Invalid, "the summary is no map\n  expected: a map of values"),
        (
            {"summary": {"x": "y" * 40_000}},
            TooLarge,
            "the summary takes 40008 bytes as JSON\n  expected: at most 32768",
        ),
        ({"reason": "y" * 1025}, TooLarge, "the reason has 1025 characters\n  expected: at most 1024"),
        (
            {"output": {"x": [f"storage:///{n}" for n in range(1001)]}},
            TooLarge,
            "the output names 1001 files\n  expected: at most 1000",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_correction_is_refused(
    app: App, run_id: str, given: dict[str, Any], kind: type[TailraceError], told: str
) -> None:
    before = task(app, run_id, "a")
    with pytest.raises(kind) as caught:
        app.changes.correct(before.id, 1, by=ADA, **given)

    assert message(caught) == told
    assert task(app, run_id, "a") == before


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"task_name": "../up"},
            "`../up` can't be the name of a task\n"
            "  expected: letters, digits, `_` and `-`, a letter or digit first, at most 256",
        ),
        ({"status": "running"}, "`running` is no status of a new task output\n  expected: completed or failed"),
        ({"error": "no"}, "an output that is completed has no error\n  expected: the status failed"),
    ],
    ids=str,
)
def test_a_wrong_new_output_is_refused(app: App, run_id: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid) as caught:
        app.changes.add_output(run_id, **{"task_name": "gpu", "by": ADA, **given})
    assert message(caught) == told


@pytest.mark.parametrize(
    ("ids", "add", "remove", "told"),
    [
        ([], {"a": "b"}, [], "0 task outputs can't be tagged at once\n  expected: 1 to 100"),
        (
            [str(n) for n in range(101)],
            {"a": "b"},
            [],
            "101 task outputs can't be tagged at once\n  expected: 1 to 100",
        ),
        (["x"], {"a": "b"}, ["a"], "the tag `a` is to be added and to be removed"),
        (["x"], {}, [], "no tag is to be added or removed"),
        (["x"], {}, ["a:b"], "`a:b` can't be the key of a tag\n  expected: a short text without `:`"),
    ],
)
def test_wrong_changes_of_tags_are_refused(
    app: App, ids: list[str], add: dict[str, str], remove: list[str], told: str
) -> None:
    with pytest.raises(Invalid) as caught:
        app.changes.tag(ids, add, remove, by=ADA)
    assert message(caught) == told


def test_what_is_not_there_can_not_be_changed(app: App, run_id: str) -> None:
    output_id = task(app, run_id, "a").id
    app.records.product.create_organization("acme", "acme", 0)
    theirs = app.for_organization("acme").changes
    for unknown, changes in (("nobody", app.changes), (output_id, theirs), (output_id[:10], app.changes)):
        with pytest.raises(NotFound):
            changes.correct(unknown, 1, by=ADA, tags={})
        with pytest.raises(NotFound):
            changes.restore_output(unknown, by=ADA)
        with pytest.raises(NotFound):
            changes.delete_output(unknown, by=ADA)
        with pytest.raises(NotFound):
            changes.tag([unknown], {"a": "b"}, (), by=ADA)
    for unknown, changes in (("nobody", app.changes), (run_id, theirs)):
        with pytest.raises(NotFound):
            changes.add_output(unknown, "gpu", by=ADA)
        with pytest.raises(NotFound):
            changes.delete_execution(unknown, by=ADA)
        with pytest.raises(NotFound):
            changes.restore_execution(unknown, by=ADA)
    assert task(app, run_id, "a").version == 1


# -- the audit


def test_every_change_is_in_the_audit_with_who_did_it(app: App, run_id: str) -> None:
    output_id = task(app, run_id, "a").id
    changes = app.changes
    changes.correct(output_id, 1, by=ADA, output={"value": "uno"}, reason="it was English")
    changes.tag([output_id], {"k": "v"}, (), by=ADA)
    changes.delete_output(output_id, by=ADA)
    changes.restore_output(output_id, by=ADA)
    added = changes.add_output(run_id, "gpu", by=ADA)
    changes.note("key-of-bo", "flow.push", "company.team.f", {"revision": 1}, {"revision": 2})

    rows = changes.audit(AuditFilter()).data
    assert {row.actor for row in rows} == {ADA, "key-of-bo"}
    assert {output_id, added.id, "company.team.f"} <= {row.subject for row in rows}
    (noted,) = changes.audit(AuditFilter(actor=("key-of-bo",))).data
    assert (noted.action, noted.before, noted.after) == ("flow.push", {"revision": 1}, {"revision": 2})
    assert len(changes.audit(AuditFilter(subject=(output_id,))).data) == 4


def test_a_file_of_a_correction_goes_with_its_execution(app: App, run_id: str) -> None:
    from core.host.views import ExecutionFilter

    app.changes.correct(task(app, run_id, "a").id, 1, by=ADA, output={"value": "x" * 2000})
    (uri,) = stored_files(app)
    assert app.storage.stat("default", storage_path(uri)).size > 2000

    assert app.executions.purge(ExecutionFilter()) == 1
    assert stored_files(app) == set()
