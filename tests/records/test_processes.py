"""One file, many processes: nothing is lost, nobody waits in vain, and the dead are known to be dead."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Conflict
from core.host.records import Refused
from core.records import SqliteRecords
from core.records.statements import migrations
from core.testing.record_story import ACME, ENGINE, Story

Process = Callable[..., "subprocess.Popen[str]"]

WRITES = """
store = SqliteRecords(home, durable=False, now=1)
story = Story(store, words[0])
for number in range(500):
    story.run(f"t{number}", number) if number % 2 else story.commit()
store.close()
"""
OPENS = "SqliteRecords(home, durable=False, now=1).close()"
IMPORTS = """
from core.host.records import NewExecution, ParentLink
from core.host.seam import Read
"""
TELLS_PARENT = """
def commit(story):
    story.commit(EndTask(A, "SUCCESS"), GiveOutput(GROUP, {"n": 2}), EndTask(GROUP, "SUCCESS"),
                 MoveExecution("SUCCESS", Counters(), "", True), results={A: story.result(A, 1, summary={"n": 1})},
                 guards=(FreeSlot(TEAM, "flow", 500),), done=(story.store.unread([story.id])[0][0],))
"""
DERIVES = """
def commit(story):
    new = NewExecution(f"{story.id}-again", ACME, TEAM, "flow", 1, "{}", {"k": "v"}, (), 5000)
    story.move("RETRIED", derived=new, kept=(GROUP, TaskKey("kept")))
"""
RESTARTS = """
def commit(story):
    story.next_attempt(TaskKey("kept"))
    story.commit(ReopenTask(TaskKey("kept"), GROUP, "RUNNING", attempt=True, attempts=2), ChangeEnd(B, "WARNING"),
                 MoveTask(A, "RETRYING", attempt_ended="FAILED", error="no", entered=True, due_at=99),
                 MoveExecution("RUNNING", Counters(turn=1), "", True, "RESTARTED"), results={A: story.result(A, 7)})
"""
DIES = """
import os, sqlite3
from core.model.decisions import *
A, B, GROUP = TaskKey("a"), TaskKey("b"), TaskKey("group")

def everything():
    connection = sqlite3.connect(home / "records.db")
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = repr([connection.execute(f"SELECT * FROM {name}").fetchall() for name in sorted(tables)])
    connection.close()
    return found

def dies_at(number):
    store = SqliteRecords(home, durable=False, now=1)
    story = Story(store, f"e{number}", parent=ParentLink("p", f"p-{number}", TaskKey("call")))
    story.group("group")
    story.run("kept", {"x": 1}, parent=GROUP, summary={"x": 1}, reads=(Read("inputs.x"),))
    story.run("b", 2)
    story.open("a")
    (home / "before").write_text(everything())
    left, original = number, store._db.write

    def write(name, values):
        nonlocal left
        if not left:
            os._exit(9)
        left -= 1
        return original(name, values)

    store._db.write = write
    commit(story)
    os._exit(0)

number, code = 0, 9
while code:
    child = os.fork()
    if not child:
        dies_at(number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), code
    same = (home / "before").read_text() == everything()
    assert same == (code == 9), number
    number += 1
print(number)
"""
OWNS = """
store = SqliteRecords(home, durable=False, now=1)
store.register_engine("doomed", 1)
fence = store.claim("e1", "doomed").fence
print(fence, flush=True)
time.sleep(60)
"""


def done(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=50)
    assert (process.returncode, errors) == (0, "")


def test_two_processes_write_at_once_and_nothing_is_lost(process: Process, tmp_path: Path) -> None:
    for one in [process(WRITES, name) for name in ("e1", "e2")]:
        done(one)
    store = SqliteRecords(tmp_path, durable=False, now=1)
    for name in ("e1", "e2"):
        views = store.task_executions(ACME, name)
        assert [view.task_name for view in views] == [f"t{number}" for number in range(1, 500, 2)]
        assert {(view.state, view.version) for view in views} == {("SUCCESS", 1)}
    store.close()


def test_many_processes_open_a_new_home_at_once(process: Process, tmp_path: Path) -> None:
    for one in [process(OPENS) for _ in range(8)]:
        done(one)
    connection = sqlite3.connect(tmp_path / "records.db")
    assert connection.execute("SELECT count(*) FROM schema_version").fetchall() == [(len(migrations()),)]
    connection.close()


def test_an_engine_that_was_killed_is_dead_at_once(process: Process, store: SqliteRecords) -> None:
    story = Story(store, claimed=False)
    owner = process(OWNS)
    assert owner.stdout is not None
    story.fence = int(owner.stdout.readline())
    with pytest.raises(Conflict) as caught:
        store.claim("e1", ENGINE)
    assert str(caught.value) == "another process works on the execution e1"
    assert store.abandoned(ACME, ENGINE) == ()
    owner.kill()
    owner.wait()
    assert store.abandoned(ACME, ENGINE) == ("e1",)
    assert store.claim("e1", ENGINE).fence == story.fence + 1
    assert story.commit() == (Refused("e1", "the execution has another owner"),)
    assert store.abandoned(ACME, ENGINE) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="the processes that die are forks")
@pytest.mark.parametrize(("what", "statements"), [(TELLS_PARENT, 12), (DERIVES, 12), (RESTARTS, 9)],
                         ids=["parent told", "derived", "restarted"])  # fmt: skip
def test_a_process_that_dies_in_a_commit_leaves_nothing_of_it(process: Process, what: str, statements: int) -> None:
    """At every statement of it; the last one survives, and all of its commit is there."""
    died = process(f"{IMPORTS}{what}{DIES}")
    output, errors = died.communicate(timeout=50)
    assert errors == ""
    assert int(output) > statements


def test_asking_whether_an_engine_lives_does_not_make_it_live(store: SqliteRecords, process: Process) -> None:
    """Observers probe the same lock; that must not look like an owner to another observer."""
    Story(store, claimed=False)
    owner = process(OWNS)
    assert owner.stdout is not None
    owner.stdout.readline()
    owner.kill()
    owner.wait()
    probe = "store = SqliteRecords(home, durable=False, now=1)\n" + (
        "print(sum(store.abandoned(ACME, '') != ('e1',) for _ in range(2000)))\nstore.close()\n"
    )
    observers = [process(probe), process(probe)]
    assert [one.communicate(timeout=50)[0] for one in observers] == ["0\n", "0\n"]


def test_the_beat_of_an_engine_moves(store: SqliteRecords, tmp_path: Path) -> None:
    store.register_engine(ENGINE, 7)
    store.beat(ENGINE)
    store.beat(ENGINE)
    connection = sqlite3.connect(tmp_path / "records.db")
    assert connection.execute("SELECT id, beat, started_at FROM engines").fetchall() == [(ENGINE, 2, 7)]
    store.forget_engine(ENGINE)
    assert connection.execute("SELECT count(*) FROM engines").fetchone() == (0,)
    connection.close()
    assert list((tmp_path / "engines").iterdir()) == []
