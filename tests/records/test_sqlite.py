"""What is particular to the SQLite store: its file, its failures, and rows that only SQL shows."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, Unreachable
from core.host.seam import Metric, Read
from core.host.views import ExecutionFilter, OutputFilter
from core.model.decisions import EndTask, OpenTask, Remember
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.records import SqliteRecords
from core.records import sqlite as database
from core.records.statements import migrations
from core.testing.record_story import ACME, Story
from tests.waiting import PATIENCE

A = TaskKey("a")
FULL = "the records can't be written: the disk is full"
FREE = "free some space; nothing that was recorded is lost"


def rows(home: Path, sql: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(home / "records.db")
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


# -- rows


def test_what_was_read_is_recorded_with_task_execution_and_version(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    first = story.run("a", 1)
    second = story.run("b", 2, reads=(Read("outputs.a.value", "a"), Read("inputs.x"), Read("kv:team/k")))
    story.commit(
        Remember(EvaluationKey(A, "run_if"), "true"),
        evaluated={EvaluationKey(A, "run_if"): (Read("outputs.b.value", "b"),)},
    )
    assert set(rows(tmp_path, "SELECT reader, what, of_task_execution, version FROM reads")) == {
        (second, "outputs.a.value", first, 1), (second, "inputs.x", None, None), (second, "kv:team/k", None, None),
        ("e1/a/run_if/0", "outputs.b.value", second, 1),
    }  # fmt: skip


@pytest.fixture
def tidy_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "TIDY_CHANGES", 1)
    monkeypatch.setattr(database, "LOG_BYTES", 100_000)


@pytest.mark.usefixtures("tidy_early")
def test_tidying_copies_the_log_into_the_database_and_begins_a_long_one_anew(
    store: SqliteRecords, tmp_path: Path
) -> None:
    story, sizes = Story(store), []
    for number in range(60):
        story.run(f"t{number}", "x" * 5000)
        store.tidy()
        sizes.append((tmp_path / "records.db-wal").stat().st_size)
    assert (tmp_path / "records.db").stat().st_size > 60 * 5000
    assert sizes[-1] < 250_000 < 60 * 5000
    assert len(rows(tmp_path, "SELECT * FROM task_output_bodies")) == 60


@pytest.mark.usefixtures("tidy_early")
def test_tidying_waits_for_no_reader(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    reader = sqlite3.connect(tmp_path / "records.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM flow_executions").fetchall()
    for number in range(30):
        story.run(f"t{number}", "x" * 5000)
        store.tidy()
    reader.close()
    assert len(rows(tmp_path, "SELECT * FROM task_output_bodies")) == 30


def test_metrics_are_rows(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    key = story.open("a")
    identity = story.identity_of(key)
    story.commit(metrics=[(identity, Metric("e1-a-attempt-1", 5, "length", "counter", 3.0, {"k": "v"}))])
    assert rows(tmp_path, "SELECT task_execution_id, at, name, kind, value, tags_json FROM metrics") == [
        ("e1-a", 5, "length", "counter", 3.0, '{"k": "v"}')
    ]


def test_the_small_facts_of_a_summary_can_be_searched(store: SqliteRecords, tmp_path: Path) -> None:
    summary = {"n": 1, "f": 0.5, "b": True, "s": "text", "list": [1], "big": 10**400, "nan": float("nan")}
    Story(store).run("a", 1, summary={**summary, **{f"x{number}": 0 for number in range(100)}})
    found = rows(tmp_path, "SELECT path, text, number FROM summary_values ORDER BY path")
    assert [row for row in found if not row[0].startswith("x")] == [
        ("b", None, 1.0), ("big", None, None), ("f", None, 0.5), ("n", None, 1.0), ("nan", None, None),
        ("s", "text", None),
    ]  # fmt: skip
    assert len(found) <= 32


def test_deleted_and_stale_outputs_have_a_status_of_their_own(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    for name in ("fresh", "stale", "deleted", "both"):
        story.run(name, 1)
    rows(tmp_path, "UPDATE task_executions SET stale_since = 5 WHERE task_name IN ('stale', 'both')")
    rows(tmp_path, "UPDATE task_executions SET deleted_at = 6 WHERE task_name IN ('deleted', 'both')")

    def named(*status: str) -> list[str]:
        return [view.task_name for view in store.outputs(ACME, OutputFilter(status=status)).data]

    assert named() == ["stale", "fresh"]
    assert named("completed") == ["fresh"]
    assert named("stale") == ["stale"]
    assert named("deleted") == ["both", "deleted"]
    assert named("deleted", "completed") == ["both", "deleted", "fresh"]


def test_outputs_are_filtered_by_tag(store: SqliteRecords, tmp_path: Path) -> None:
    story = Story(store)
    for number, name in enumerate(("a", "b", "c")):
        story.run(name, 1)
        for key, value in {"team": "x" if number else "y:z", f"only-{name}": ""}.items():
            rows(tmp_path, "INSERT INTO tags VALUES (?, ?, ?, ?, ?)", ACME, f"e1-{name}", key, value, number + 1)

    def named(*tag: str) -> list[str]:
        return [view.task_name for view in store.outputs(ACME, OutputFilter(tag=tag)).data]

    assert named("team") == ["c", "b", "a"]
    assert named("team:x") == ["c", "b"]
    assert named("team:y:z", "only-c") == ["c", "a"]
    assert named("only-b:") == ["b"]
    assert named("tea") == []
    assert store.task_executions(ACME, "e1")[0].tags == {"only-a": "", "team": "y:z"}


def test_lists_never_touch_bodies(store: SqliteRecords) -> None:
    story = Story(store)
    story.run("a", "x" * 10_000)
    seen: list[str] = []
    store._db._reader.set_trace_callback(seen.append)  # the only way to know what SQLite was asked
    store.outputs(ACME, OutputFilter())
    store.executions(ACME, ExecutionFilter())
    store.task_executions(ACME, "e1")
    store.claim("e1", "engine-1")
    assert seen
    assert [sql for sql in seen if "bodies" in sql] == []


def test_texts_of_people_with_half_a_character_are_searched_for_in_vain(store: SqliteRecords) -> None:
    Story(store, labels={"k": "\udcff"})
    assert store.outputs(ACME, OutputFilter(flow_id=("\udcff",))).data == ()
    assert store.find_executions(ACME, "\udcff") == ()
    assert store.executions(ACME, ExecutionFilter()).data[0].labels == {"k": "\ufffd"}


def test_a_unit_that_breaks_undoes_the_whole_batch(store: SqliteRecords) -> None:
    """An error of ours is not a refusal: nothing of the batch is written, and the store goes on."""
    story = Story(store)
    broken = story.unit(OpenTask(TaskKey("b"), ROOT, "RUNNING"))
    broken.tasks.clear()  # type: ignore[attr-defined]
    with pytest.raises(KeyError):
        store.commit([story.unit(OpenTask(A, ROOT, "RUNNING")), broken])
    assert store.task_executions(ACME, "e1") == ()
    assert story.commit(OpenTask(A, ROOT, "RUNNING"), EndTask(A, "SUCCESS")) == ()


# -- the file


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    SqliteRecords(tmp_path, durable=False, now=1).close()
    rows(tmp_path, "PRAGMA user_version = 999")
    with pytest.raises(Conflict) as caught:
        SqliteRecords(tmp_path, durable=False, now=1)
    assert str(caught.value) == (
        f"{tmp_path}/records.db: the records were written by a newer version\n  to do: upgrade this installation"
    )


def all_sorts_of_things(store: SqliteRecords) -> None:
    store.task_executions(ACME, "e1")
    store.abandoned(ACME, "other")
    store.send("e1", "kill", "{}", 1)
    Story(store, "e2").log(Story(store, "e3").open("a"), ("INFO", "one"))


@pytest.mark.parametrize("change", [
    "ALTER TABLE task_executions DROP COLUMN log_files_json", "DROP INDEX flow_executions_owned",
    "ALTER TABLE inbox RENAME COLUMN kind TO word", "DROP TABLE logs",
])  # fmt: skip
def test_tables_of_a_version_that_was_never_released_are_named_as_what_they_are(tmp_path: Path, change: str) -> None:
    with closing(SqliteRecords(tmp_path, durable=False, now=1)) as store:
        Story(store).open("a")
    rows(tmp_path, change)
    with closing(SqliteRecords(tmp_path, durable=False, now=1)) as store, pytest.raises(Conflict) as caught:
        all_sorts_of_things(store)
    assert str(caught.value) == (
        f"{tmp_path}/records.db: the records have version {migrations()[-1][0]} of the tables, but not as this version of Tailrace makes "
        "them: a version that was never released has written them\n"
        "  to do: move them away, or give another home with --home DIR"
    )


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"these are not records" * 100)
    with pytest.raises(Unreachable) as caught:
        SqliteRecords(tmp_path, durable=False, now=1)
    assert str(caught.value) == (
        f"{tmp_path}/records.db: the records can't be used: file is not a database\n"
        "  to do: see that the file may be read and written, and lies on a local disk"
    )
    assert (tmp_path / "records.db").read_bytes() == b"these are not records" * 100


def test_a_home_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unreachable) as caught:
        SqliteRecords(tmp_path / "file" / "home", durable=False, now=1)
    assert str(caught.value) == (
        f"{tmp_path}/file/home/records.db: the records can't be opened: not a directory\n"
        "  to do: give another home with --home DIR"
    )


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_durability_is_a_setting_of_the_connection(tmp_path: Path, durable: bool, level: int) -> None:
    store = SqliteRecords(tmp_path, durable=durable, now=1)
    assert store._db._writer.execute("PRAGMA synchronous").fetchone() == (level,)
    assert store._db._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


# -- closed while it is used


def test_who_closes_waits_for_what_is_being_written(tmp_path: Path) -> None:
    """SQLite ends the whole process when a connection is closed in the middle of a statement."""
    store = SqliteRecords(tmp_path, durable=False, now=1)
    closing_it = threading.Thread(target=store.close)
    with store._db.writing():
        closing_it.start()
        closing_it.join(0.2)  # time enough for one that does not wait
        assert store._db.execute("SELECT 1").fetchone() == (1,)
    closing_it.join(PATIENCE)
    assert not closing_it.is_alive()


def test_what_is_asked_of_closed_records_is_unreachable(tmp_path: Path) -> None:
    store = SqliteRecords(tmp_path, durable=False, now=1)
    for _ in range(2):  # once more is not wrong
        store.close()
    for ask in (store.changed, store.tidy, lambda: store.execution(ACME, "e1"), lambda: store.register_engine("e", 1)):
        with pytest.raises(Unreachable):
            ask()
    with pytest.raises(Unreachable) as caught:
        store.send("e1", "kill", "{}", 1)
    assert str(caught.value) == (
        f"{tmp_path}/records.db: the records can't be opened: the file is closed\n"
        "  to do: give another home with --home DIR"
    )


# -- a disk that is full, a disk that can't be written


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"this machine mounts nothing: {mount.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_loses_nothing_and_is_told_in_words(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=2m") as home:
        store = SqliteRecords(home, durable=False, now=1)
        story = Story(store)
        written: list[str] = []

        def fill() -> None:
            for number in range(1000):
                written.append(f"t{number}")
                story.run(f"t{number}", "x" * 20_000)

        with pytest.raises(Unreachable) as caught:
            fill()
        assert str(caught.value) == f"{home}/records.db: {FULL}\n  to do: {FREE}"
        with pytest.raises(Unreachable) as again:
            story.run("again", "x" * 1_000_000)
        assert str(again.value) == str(caught.value)
        kept = [view for view in store.task_executions(ACME, "e1") if view.state == "SUCCESS"]
        assert [view.task_name for view in kept][: len(written) - 1] == written[:-1]
        assert all((store.output(ACME, view.id) or 0) for view in kept)
        subprocess.run(["mount", "-o", "remount,size=8m", home], check=True)
        assert story.run("after", "x" * 20_000) == "e1-after"
        store.close()
        assert rows(home, "PRAGMA integrity_check") == [("ok",)]


def test_a_full_disk_at_the_first_opening_is_told_in_words(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=64k") as home:
        (home / "filler").write_bytes(b"x" * 60_000)
        with pytest.raises(Unreachable) as caught:
            SqliteRecords(home, durable=False, now=1)
        assert str(caught.value) == f"{home}/records.db: {FULL}\n  to do: {FREE}"


def test_a_disk_without_writing_is_told_in_words(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=2m") as home:
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
        with pytest.raises(Unreachable) as caught:
            SqliteRecords(home, durable=False, now=1)
        assert str(caught.value) == (
            f"{home}/records.db: the records can't be opened: read-only file system\n"
            "  to do: give another home with --home DIR"
        )


def test_the_feed_keeps_its_newest_events(store: SqliteRecords, tmp_path: Path) -> None:
    store.product.keep_events()
    event = "INSERT INTO events VALUES (?, 'acme', 1, 'task_output', 'x', 'e1', 'a', 'SUCCESS', 'completed')"
    for seq in (1, 99_999, 100_000, 100_001, 299_999):
        rows(tmp_path, event, seq)
    assert [one.seq for one in store.product.events(ACME, 0, 9)] == [1, 99_999, 100_000, 100_001, 299_999]
    rows(tmp_path, event, 300_000)
    assert [one.seq for one in store.product.events(ACME, 0, 9)] == [100_001, 299_999, 300_000]
    Story(store)
    assert store.product.last_event(ACME) == 300_001


def test_nothing_is_kept_for_a_feed_that_nobody_asked_for(store: SqliteRecords) -> None:
    story = Story(store)
    story.run("a", 1)
    story.finish()
    assert (store.product.events(ACME, 0, 9), store.product.last_event(ACME)) == ((), 0)
