"""A whole home is moved from SQLite, row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.errors import Conflict, Invalid
from core.host.product import ApiKey
from core.host.records import NewExecution, ParentLink
from core.host.seam import Read
from core.host.views import ExecutionFilter, OutputFilter
from core.model.decisions import Remember
from core.model.messages import EvaluationKey, TaskKey
from core.records import SqliteRecords
from core.testing.record_story import ACME, ENGINE, OTHER, Story
from tailrace_records_postgres.copying import copy_home
from tailrace_records_postgres.store import open_records

pytestmark = pytest.mark.postgres
KEY = TaskKey("call")
Run = Callable[..., tuple[int, Any]]


def fill(home: Path) -> None:
    """A home with rows in most tables, of two organizations."""
    store = SqliteRecords(home, durable=False, now=1)
    store.product.create_organization(ACME, "Acme", 1)
    store.product.create_api_key(ApiKey("k", ACME, "key", "viewer", 1), "digest")
    story = Story(store, labels={"team": "x"}, files=(("storage:///in", 1, "00"),))
    group = story.group("group")
    for number in range(30):
        story.run("a", {"n": number}, path=(f"v{number}",), parent=group, summary={"n": number, "long": "x" * 5000},
                  reads=(Read("inputs.n"),))  # fmt: skip
    story.run("b", "zero \0 byte", reads=(Read("outputs.a", "a"),))
    story.log(TaskKey("b"), ("INFO", "nul \0 in a line"), ("ERROR", "ü"))
    story.commit(Remember(EvaluationKey(group, "values"), ["v"]))
    store.product.tag_outputs(ACME, ["e1-b"], {"k": "v"}, (), by="system", at=5)
    Story(store, "c1", parent=ParentLink("e1", "e1-call", KEY, 0)).finish()
    Story(store, "c2", parent=ParentLink("e1", "e1-call", KEY, 1, wait=False))
    Story(store, "e9", organization=OTHER).run("other", 1)
    store.derive(NewExecution("e2", ACME, "company.team", "flow", 1, "{}", {}, (), 9000), "e1", (group,))
    store.save_flow(ACME, "a", "f", "two \0", local=False, at=1)
    store.set_kv(ACME, "a", "k", "1", 1)
    store.close()


def rows_of(home: Path) -> dict[str, int]:
    file = sqlite3.connect(home / "records.db")
    tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    file.close()
    return {name: number for name, number in found.items() if name not in ("engines", "schema_version")}


def everything(store: Any) -> list[Any]:
    """What can be read of it."""
    return [
        [(store.outputs(name, OutputFilter(limit=1000)), store.executions(name, ExecutionFilter())) for name in (ACME, OTHER)],
        [(store.outputs_of(one, None), store.past(one), store.unread([one]), store.evaluations(one))
         for one in ("e1", "e2", "c1", "c2", "e9")],
        store.logs(ACME, "e1", None, ("INFO", "ERROR"), 0, 99), store.children_of("e1-call"), store.parent_of("c2"),
        store.flows(ACME, None), store.kvs(ACME, "a", 5), store.product.organizations(), store.product.api_key("digest"),
        store.may_read_file(ACME, "e1", "storage:///in"), store.abandoned(ACME, ""),
        store.outputs(ACME, OutputFilter(tag=("k:v",))), store.outputs(ACME, OutputFilter(flow_id=("flow",), created_after=1)),
    ]  # fmt: skip


def test_a_copy_has_what_the_home_had(home: Path, apart: tuple[str, str], run: Run) -> None:
    fill(home)
    empty, url = apart
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'tailrace' ORDER BY 1"
    with psycopg.connect(empty) as owner:
        before = owner.execute(indexes).fetchall()
    code, out = run("records copy", "--from", str(home), "--url", empty, json=True)
    assert (code, out.values) == (0, [rows_of(home)])
    here, there = SqliteRecords(home, durable=False, now=1), open_records(url, 1)
    assert everything(there) == everything(here)
    fence = there.claim("e1", "new-engine").fence
    assert fence == here.claim("e1", "new-engine").fence
    story = Story(there, "e3")  # new rows come after the copied ones
    story.run("last", 1)
    assert there.outputs(ACME, OutputFilter(limit=1)).data[0].id == "e3-last"
    here.close()
    there.close()
    with psycopg.connect(empty) as owner:
        left = owner.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'tailrace'::regnamespace AND relkind = 'r'"
            " AND NOT relforcerowsecurity UNION SELECT tgname FROM pg_trigger WHERE tgenabled = 'D'"
        ).fetchall()
        assert owner.execute(indexes).fetchall() == before
    assert left == []


def test_records_with_rows_are_refused(home: Path, server: str, database: str) -> None:
    fill(home)
    store = open_records(database, 1)
    Story(store)
    store.close()
    with pytest.raises(Conflict) as caught:
        copy_home(home, server)
    assert caught.value.what.startswith("the records have rows already, in ")
    assert caught.value.hint == "copy into records that `records init` has just made"


def test_a_home_in_which_an_engine_works_is_refused(home: Path, server: str, database: str) -> None:
    fill(home)
    store = SqliteRecords(home, durable=False, now=1)
    store.register_engine(ENGINE, 1)
    with pytest.raises(Conflict) as caught:
        copy_home(home, server)
    assert caught.value.what == f"an engine works in {home}"
    store.close()
    again = open_records(database, 1)  # nothing was kept
    assert again.executions(ACME, ExecutionFilter()).data == ()
    again.close()


def test_a_directory_that_is_no_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        copy_home(tmp_path / "nowhere", "postgresql:///x")
    assert caught.value.expected == "a directory with a records.db"
