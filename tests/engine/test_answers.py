"""What the engine answers to tasks: keys, files, logs and states."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from core.engine.answers import Answers
from core.host.seam import Answer, Place, Question
from core.records import SqliteRecords
from core.testing.record_story import ACME, TEAM, Story
from tests.engine.world import World

PLACE = Place(ACME, TEAM, "flow", "e1")


def ask(records: SqliteRecords, what: str, local_files: Path | None = None, **arguments: Any) -> Any:
    answer = Answers(records, local_files).answer(Question(3, PLACE, what, arguments), None)
    assert answer == Answer(3, answer.value)
    return answer.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "flows" / "_files"
    (made / "sql").mkdir(parents=True)
    (made / "sql" / "q.sql").touch()
    (made / "a.txt").touch()
    return made


@pytest.mark.parametrize("how", ["absolute", "relative", "through a link"])
def test_files_beside_a_flow_are_found_however_its_folder_is_written(
    world: World, folder: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent.parent)
    Path("link").symlink_to(folder.parent)
    written = {"absolute": folder, "relative": Path("flows/_files"), "through a link": Path("link/_files")}[how]
    found = ask(world.records, "namespace_files", written, namespace=TEAM)
    assert found == {"a.txt": str(folder / "a.txt"), "sql/q.sql": str(folder / "sql" / "q.sql")}


def test_files_beside_a_flow_stand_before_those_of_the_namespace(world: World, folder: Path) -> None:
    for name in ("a.txt", "b.txt"):
        world.records.save_namespace_file(ACME, TEAM, name, f"storage:///{name}", 1, "00", 1)
    found = ask(world.records, "namespace_files", folder, namespace=TEAM)
    assert (found["a.txt"], found["b.txt"]) == (str(folder / "a.txt"), "storage:///b.txt")


def test_a_link_that_leads_out_of_the_folder_is_not_followed(world: World, folder: Path) -> None:
    (folder / "out").symlink_to("/etc/hostname")
    os.symlink(folder / "a.txt", folder / "in")
    assert set(ask(world.records, "namespace_files", folder, namespace=TEAM)) == {"a.txt", "in", "sql/q.sql"}


def test_a_folder_that_is_not_there_holds_nothing(world: World, tmp_path: Path) -> None:
    assert ask(world.records, "namespace_files", tmp_path / "nope", namespace=TEAM) == {}


@pytest.mark.parametrize(
    ("namespace", "inherit", "answer"),
    [(TEAM, True, [True, 1]), (TEAM, False, [False, None]), ("company", False, [True, 1]), ("other", True, [False, None])],
)  # fmt: skip
def test_a_key_is_found_above_when_no_namespace_was_named(
    world: World, namespace: str, inherit: bool, answer: list[Any]
) -> None:
    world.records.set_kv(ACME, "company", "k", "1", 1)
    assert ask(world.records, "kv", namespace=namespace, key="k", inherit=inherit) == answer


def test_a_null_is_a_value(world: World) -> None:
    world.records.set_kv(ACME, TEAM, "k", "null", 1)
    assert ask(world.records, "kv", namespace=TEAM, key="k", inherit=True) == [True, None]


def test_files_are_allowed_by_the_records(world: World) -> None:
    Story(world.records, files=(("storage:///mine", 1, "00"),))
    world.records.save_namespace_file(ACME, "other", "f", "storage:///other/_files/f", 1, "00", 1)
    allowed = [
        ask(world.records, "file_allowed", uri=f"storage:///{name}") for name in ("mine", "yours", "other/_files/f")
    ]
    assert allowed == [True, False, True]


def test_the_last_error_logs_and_states_are_told(world: World) -> None:
    story = Story(world.records)
    key = story.open("a")
    story.log(key, ("INFO", "fine"), ("ERROR", "bad"))
    assert ask(world.records, "error_logs") == [{"taskId": "a", "level": "ERROR", "message": "bad"}]
    assert ask(world.records, "task_states") == [["a", None, "RUNNING"]]
