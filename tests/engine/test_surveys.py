"""What the engine answers about keys, executions and logs of the whole organization."""

from __future__ import annotations

from typing import Any

import pytest

from core.engine.answers import Answers
from core.host.requests import SetKv
from core.host.seam import Answer, Place, Question
from core.records import SqliteRecords
from core.testing.record_story import ACME, OTHER, TEAM, Story
from tests.engine.world import World

PLACE = Place(ACME, TEAM, "flow", "e1")
ANY: dict[str, Any] = {"namespace": [], "flow_id": [], "state": [], "created_after": None, "created_before": None}


def answer(records: SqliteRecords, what: str, **arguments: Any) -> Answer:
    return Answers(records).answer(Question(3, PLACE, what, arguments), None)


@pytest.fixture
def records(world: World) -> SqliteRecords:
    for name, organization in (("e1", ACME), ("e2", ACME), ("e3", OTHER)):
        story = Story(world.records, name, organization=organization)
        story.log(story.open("a"), ("INFO", "one"), ("ERROR", "two"))
        story.end(next(iter(story.names)), 1, files=((f"storage:///{name}", 1, "00"),))
        if name != "e1":
            story.finish()
    return world.records


def test_executions_of_others_are_not_seen(records: SqliteRecords) -> None:
    assert answer(records, "execution_counts", **ANY) == Answer(3, [[TEAM, "flow", 2]])
    assert answer(records, "execution_state", id="e2") == Answer(3, ["SUCCESS", TEAM, "flow"])
    assert answer(records, "execution_state", id="e3") == Answer(3, None)
    assert answer(records, "execution_weight", ids=["e1", "e2", "e3"]) == Answer(3, [4, 0, 2])


def test_ids_come_in_pages(records: SqliteRecords) -> None:
    assert answer(records, "execution_ids", **ANY, limit=1, starting_after=None) == Answer(3, [["e2"], "e2"])
    assert answer(records, "execution_ids", **ANY, limit=1, starting_after="e2") == Answer(3, [["e1"], None])


def test_a_question_that_can_not_be_answered_is_told(records: SqliteRecords) -> None:
    found = answer(records, "execution_counts", **{**ANY, "state": ["NOPE"]})
    assert found.error.startswith("`NOPE` is not a state")
    assert answer(records, "weather") == Answer(3, error="nobody answers `weather`")


def test_own_files(records: SqliteRecords) -> None:
    assert answer(records, "own_files") == Answer(3, ["storage:///e1"])


def test_log_lines_go_on_after_the_last_one(records: SqliteRecords) -> None:
    lines = answer(records, "log_lines", id="e2", levels=["INFO", "ERROR"], after=0).value
    assert [line[2:] for line in lines] == [["INFO", "a", 1, "one"], ["ERROR", "a", 1, "two"]]
    assert answer(records, "log_lines", id="e2", levels=["INFO", "ERROR"], after=lines[0][0]).value == lines[1:]
    span = {"before": 10**9, "after": None, "namespace": "", "flow_id": "", "execution_id": ""}
    assert answer(records, "log_count", **span, levels=["ERROR"]) == Answer(3, 2)


def test_keys_by_prefix(records: SqliteRecords) -> None:
    Story(records, "e4").run("a", requests=(SetKv(TEAM, "old", "1", expires_at=1), SetKv(TEAM, "other", "1")))
    assert answer(records, "kv_keys", namespaces=[TEAM], prefix="ol") == Answer(3, [[TEAM, "old", True]])
    assert answer(records, "kv_expired", namespace=TEAM, key="old") == Answer(3, True)
    assert answer(records, "kv_expired", namespace=TEAM, key="other") == Answer(3, False)


def test_namespaces_with_files(records: SqliteRecords) -> None:
    records.save_namespace_file(ACME, TEAM, "a", "storage:///a", 1, "", 1)
    assert answer(records, "file_namespaces") == Answer(3, [TEAM])
