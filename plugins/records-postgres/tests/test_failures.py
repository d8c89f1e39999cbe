"""What becomes of a commit when the connection is lost, and of texts that are hard to keep."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import OperationalError

from core.errors import TooLarge, Unreachable
from core.host.records import TaskIdentity
from core.host.views import OutputFilter
from core.model.decisions import GiveOutput, OpenTask
from core.model.messages import ROOT, TaskKey
from core.testing.record_story import ACME, Story
from tailrace_records_postgres.line import Line, Result
from tailrace_records_postgres.store import PostgresRecords, open_records

pytestmark = pytest.mark.postgres
DENSE = "".join(hashlib.sha512(bytes([number])).hexdigest() for number in range(100))
"""A text that no compression makes small enough for an index."""
KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tailrace_engine'"


def kill_connections(server: str, which: str = "") -> int:
    with psycopg.connect(server, autocommit=True) as owner:
        return len(owner.execute(f"{KILL} {which}".encode()).fetchall())


def versions(store: PostgresRecords) -> list[tuple[str, int]]:
    return [(view.id, view.version) for view in store.outputs(ACME, OutputFilter()).data]


def test_connections_that_were_lost_meanwhile_are_not_noticed(store: PostgresRecords, server: str) -> None:
    story = Story(store)
    threads = [threading.Thread(target=store.execution, args=(ACME, "e1")) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert kill_connections(server) >= 1
    assert store.execution(ACME, "e1") is not None
    kill_connections(server)
    story.run("a", 1)
    assert versions(store) == [("e1-a", 1)]


def test_a_commit_waits_twice_for_the_server(store: PostgresRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    """For all that it writes, and for its end."""
    story = Story(store)
    key = story.open("a")
    waited: list[Line] = []
    original = Line.sync

    def sync(line: Line) -> None:
        waited.append(line)
        original(line)

    monkeypatch.setattr(Line, "sync", sync)
    story.log(key, ("INFO", "a line"))
    assert len(waited) == 2
    story.end(key, {"n": 1}, summary={"n": 1})
    assert len(waited) == 4
    story.move("SUCCESS")
    assert len(waited) == 6


@pytest.mark.parametrize("alone", [True, False])
def test_a_unit_that_does_not_hold_is_refused_although_what_follows_fails(store: PostgresRecords, alone: bool) -> None:
    """The task is there under another id; that the summary has no row to belong to is what the database says first."""
    story, other = Story(store), Story(store, "e2")
    key = story.open("a")
    story.names[key] = TaskIdentity("another", "debug.Return", None, 1, "another-1")
    result = story.result(key, {"n": 1}, summary={"n": 1})
    unit = story.unit(OpenTask(key, ROOT, "RUNNING", attempt=True), GiveOutput(key, {"n": 1}), results={key: result})
    neighbour = other.unit(OpenTask(TaskKey("b"), ROOT, "RUNNING", attempt=True))
    refused = store.commit([unit] if alone else [unit, neighbour])
    assert [(one.execution_id, one.kind) for one in refused] == [("e1", "twice")]
    assert {one.id for one in store.outputs(ACME, OutputFilter()).data} == ({"e1-a"} if alone else {"e1-a", "e2-b"})


def test_a_commit_that_loses_its_connection_is_done_once(store: PostgresRecords, server: str) -> None:
    """It waits for the lock of its organization when the server lets it go: nothing was written."""
    story = Story(store)
    with psycopg.connect(server) as owner:
        owner.execute("SELECT pg_advisory_xact_lock(7241, hashtext(%s))", (ACME,))
        working = threading.Thread(target=story.run, args=("a", 1))
        working.start()
        while not kill_connections(server, "AND wait_event = 'advisory'"):
            pass
    working.join()
    assert versions(store) == [("e1-a", 1)]


class Breaking:
    """Lets the connection break at the next COMMIT: before it is sent, or when it was done and not answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, server: str, *, done: bool) -> None:
        self.times = 0
        original: Callable[..., Result] = Line.send

        def send(line: Line, sql: str, *args: Any, **named: Any) -> Result:
            if sql != "COMMIT" or self.times:
                return original(line, sql, *args, **named)
            self.times += 1
            if done:
                original(line, sql)
                line.sync()
            kill_connections(server)
            raise OperationalError("the server closed the connection unexpectedly")

        monkeypatch.setattr(Line, "send", send)


@pytest.mark.parametrize("done", [True, False], ids=["committed", "not committed"])
def test_a_commit_that_is_not_answered_is_looked_up(
    store: PostgresRecords, server: str, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    story = Story(store)
    unit = story.unit(logs=())
    broken = Breaking(monkeypatch, server, done=done)
    assert store.commit([unit]) == ()
    assert broken.times == 1
    monkeypatch.undo()
    story.run("a", 1)
    assert versions(store) == [("e1-a", 1)]


@pytest.mark.parametrize("done", [True, False], ids=["committed", "not committed"])
def test_what_is_made_is_made_once(
    store: PostgresRecords, server: str, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    broken = Breaking(monkeypatch, server, done=done)
    store.send("e1", "kill", "{}", 1) if done else store.set_kv(ACME, "a", "k", "1", 1)
    monkeypatch.undo()
    assert broken.times == 1
    if done:
        with psycopg.connect(server) as owner:
            assert owner.execute("SELECT count(*) FROM tailrace.inbox").fetchone() == (1,)
    else:
        kept = store.kv(ACME, "a", "k", 9)
        assert kept is not None
        assert kept.version == 1


def test_a_commit_nobody_can_tell_about_is_told_as_that(
    store: PostgresRecords, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Breaking(monkeypatch, server, done=True)
    asked = store._db.select

    def unreachable(sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if "pg_xact_status" in sql:
            raise Unreachable("gone")
        return asked(sql, values)

    monkeypatch.setattr(store._db, "select", unreachable)
    with pytest.raises(Unreachable) as caught:
        store.set_kv(ACME, "a", "k", "1", 1)
    assert caught.value.what == "the connection was lost during a commit, and it is not known whether it was written"
    assert caught.value.hint == "look whether it was before it is repeated"


def test_after_an_error_of_the_database_the_next_commit_is_well(store: PostgresRecords) -> None:
    story = Story(store)
    with pytest.raises(TooLarge) as caught:
        store.set_kv(ACME, "a", DENSE, "1", 1)
    assert caught.value.what.startswith("a name is too long for the records: index row")
    story.run("a", 1)
    assert versions(store) == [("e1-a", 1)]


def test_values_of_loops_may_be_longer_than_an_index_takes(store: PostgresRecords) -> None:
    story = Story(store)
    long = DENSE
    for number, key in enumerate((TaskKey("a", (long,)), TaskKey("a", (long + "!",)), TaskKey("b", ("x", long)))):
        story.names[key] = TaskIdentity(f"id-{number}", "debug.Return", None, 1, f"attempt-{number}")
    story.run("a", 1, path=(long,), summary={"s": long})
    story.run("a", 2, path=(long + "!",))
    story.run("b", 2, path=("x", long))
    found, _ = store.outputs_at("e1", "a", (long,))
    assert found is not None
    assert found.text == "1"
    assert store.outputs_at("e1", "a", ())[1] == (long, long + "!")
    assert store.outputs_at("e1", "b", ("x",))[1] == (long,)


def test_a_closed_store_says_so(database: str) -> None:
    store = open_records(database, 1)
    store.close()
    with pytest.raises(Unreachable) as caught:
        store.execution(ACME, "e1")
    assert caught.value.what == "the records are closed"
