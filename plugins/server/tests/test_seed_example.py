"""The endpoint that was the seed of this API: each of its statements and plans, asked of a real server.

`docs/reference/api.md` sets them side by side for people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from attrs import frozen

from .conftest import Api, installed, serving

DOCUMENTS = """
id: documents
namespace: company.team
inputs:
  - {id: pages, type: INT, defaults: 10}
tasks:
  - {id: extract, type: output.OutputValues, values: {pages: "{{ inputs.pages }}", word_count: 5000}}
  - {id: call_api, type: debug.Return, format: "{{ outputs.extract.values.pages }} pages"}
  - {id: validate, type: debug.Return, format: "950 of 1000"}
"""
BROKEN = """
id: broken
namespace: company.other
tasks:
  - {id: extract, type: execution.Fail, errorMessage: "the file is damaged"}
"""
WAITING = """
id: waiting
namespace: company.other
tasks:
  - {id: ask, type: flow.Pause}
"""
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
DESCRIBED = ("flow_execution_id", "id", "modified_by", "organization_id", "status", "summary", "task_name", "output", "tags")
"""The attributes that the seed describes."""


@frozen
class Example:
    """client: of an editor's key; its `id` is `actor`. runs: the executions, in the order they began."""

    client: httpx.Client
    stranger: httpx.Client
    actor: str
    runs: tuple[Any, ...]

    def rows(self, **asked: Any) -> list[Any]:
        answer = self.client.get("/task-outputs", params=asked)
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["data"]
        return found

    def one(self, name: str, run: int = 0) -> Any:
        (found,) = self.rows(task_name=name, flow_execution_id=self.runs[run]["id"])
        return found

    def change(self, row: Any, **changes: Any) -> Any:
        path = f"/task-outputs/{row['id']}"
        tag = self.client.get(path).headers["etag"]
        answer = self.client.patch(path, json=changes, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Four executions of three flows in an organization with a key, and somebody of another organization."""
    with installed(tmp_path_factory.mktemp("home")) as deployment:
        engine = deployment.engine(workers=2, processes=False)
        engine.start()
        deployment.keys.create_organization("acme")
        deployment.keys.create_organization("globex")
        made, secret = deployment.keys.create("acme", "ada", "editor")
        _, other = deployment.keys.create("globex", "bo", "admin")
        try:
            with serving(deployment, engine=engine) as api:
                yield prepared(api, secret, other, made.id)
        finally:
            engine.close()


def prepared(api: Api, secret: str, other: str, actor: str) -> Example:
    client = api.client(secret)
    for source in (DOCUMENTS, BROKEN, WAITING):
        flow_id, namespace = re.findall(r"(?:id|namespace): (\S+)", source)[:2]
        assert client.put(f"/flows/{namespace}/{flow_id}", json={"source": source}).status_code == 200
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("company.team", "documents", {}), ("company.team", "documents", {"pages": 20}),
        ("company.other", "broken", {}), ("company.other", "waiting", {}),
    )  # fmt: skip
    runs = []
    for namespace, flow_id, inputs in asked:
        given = {"namespace": namespace, "flow_id": flow_id, "inputs": inputs}
        runs.append(client.post("/flow-executions", params={"wait": 20}, json=given).json())
    assert [run["state"] for run in runs] == ["SUCCESS", "SUCCESS", "FAILED", "PAUSED"]
    return Example(client, api.client(other), actor, tuple(runs))


def names(rows: list[Any]) -> list[str]:
    return [row["task_name"] for row in rows]


# -- "List all task outputs across all flow executions in your organization."


def test_all_task_outputs_of_all_executions_are_listed(example: Example) -> None:
    assert {row["flow_execution_id"] for row in example.rows()} == {run["id"] for run in example.runs}
    assert sorted(names(example.rows())) == sorted(
        ["extract", "call_api", "validate", "extract", "call_api", "validate", "extract", "ask"]
    )


def test_they_are_scoped_to_the_organization(example: Example) -> None:
    assert {row["organization_id"] for row in example.rows()} == {"acme"}
    assert example.stranger.get("/task-outputs").json() == {"data": [], "has_more": False, "next": None}
    assert example.stranger.get(f"/task-outputs/{example.one('extract')['id']}").status_code == 404


def test_results_are_ordered_by_creation_most_recent_first(example: Example) -> None:
    rows = example.rows()
    assert names(rows)[:2] == ["ask", "extract"]
    assert [row["flow_execution_id"] for row in rows] == [
        *(run["id"] for run in reversed(example.runs[2:])), *[example.runs[1]["id"]] * 3, *[example.runs[0]["id"]] * 3,
    ]  # fmt: skip
    created = [row["created_at"] for row in rows]
    assert created == sorted(created, reverse=True)


def test_complete_data_is_returned(example: Example) -> None:
    for row in example.rows():
        assert row.keys() > set(DESCRIBED)
    assert example.one("call_api", 1)["output"] == {"value": "20 pages"}


# -- the attributes and what they mean


def test_the_flow_execution_is_the_parent(example: Example) -> None:
    row = example.one("extract")
    parent = example.client.get(f"/flow-executions/{row['flow_execution_id']}").json()
    assert (parent["organization_id"], parent["flow_id"]) == (row["organization_id"], row["flow_id"])


def test_an_id_is_a_uuid_and_gives_direct_access(example: Example) -> None:
    for row in example.rows():
        assert re.fullmatch(UUID, row["id"])
        assert example.client.get(f"/task-outputs/{row['id']}").json() == row


def test_who_changed_it_last_is_system_or_an_actor(example: Example) -> None:
    assert {row["modified_by"] for row in example.rows(modified_by="system")} == {"system"}
    row = example.one("validate", 1)
    assert row["modified_by"] == "system"
    assert example.change(row, summary={"valid_rows": 950, "invalid_rows": 50})["modified_by"] == example.actor
    assert re.fullmatch(UUID, example.actor)
    assert [one["id"] for one in example.rows(modified_by=example.actor, task_name="validate")] == [row["id"]]


def test_an_integration_adds_its_own_and_is_named(example: Example) -> None:
    run = example.runs[0]
    given = {"flow_execution_id": run["id"], "task_name": "review", "output": {"verdict": "fine"}}
    answer = example.client.post("/task-outputs", json=given, headers={"Idempotency-Key": "review of 1"})
    again = example.client.post("/task-outputs", json=given, headers={"Idempotency-Key": "review of 1"})
    added = answer.json()
    assert (answer.status_code, added["modified_by"], added["status"]) == (201, example.actor, "completed")
    assert again.json()["id"] == added["id"]
    assert example.client.delete(f"/task-outputs/{added['id']}").status_code == 204


def test_the_six_statuses_mean_what_they_say(example: Example) -> None:
    """`queued` is that of what waits for a place: an execution shows it here before its first task begins."""
    document = example.client.get("/openapi.json").json()
    assert document["components"]["schemas"]["TaskOutput"]["properties"]["status"]["enum"] == [
        "completed", "deleted", "failed", "queued", "running", "stale",
    ]  # fmt: skip
    assert example.one("validate")["status"] == "completed"
    assert (example.one("extract", 2)["status"], example.one("extract", 2)["error"]) == ("failed", "the file is damaged")
    assert example.one("ask", 3)["status"] == "running"
    assert example.rows(status="queued") == []
    row = example.one("validate", 1)
    assert example.client.delete(f"/task-outputs/{row['id']}").status_code == 204
    assert row["id"] not in [one["id"] for one in example.rows()]
    assert [one["status"] for one in example.rows(status="deleted", task_name="validate")] == ["deleted"]
    assert example.client.post(f"/task-outputs/{row['id']}/restore").json()["status"] == "completed"


def test_what_read_an_output_that_was_corrected_is_stale(example: Example) -> None:
    first, second = example.one("extract"), example.one("call_api")
    told = example.change(first, output={"values": {"pages": 11, "word_count": 5500}})
    assert told["made_stale"] == [second["id"]]
    assert [(row["id"], row["status"]) for row in example.rows(status="stale")] == [(second["id"], "stale")]
    path = f"/flow-executions/{example.runs[0]['id']}/execute"
    again = example.client.post(path, params={"only_stale": "true", "wait": 20}).json()
    (fresh,) = example.rows(task_name="call_api", flow_execution_id=again["id"])
    assert (fresh["status"], fresh["output"]) == ("completed", {"value": "11 pages"})
    assert example.client.delete(f"/flow-executions/{again['id']}").status_code == 204


@pytest.mark.parametrize(
    "summary",
    [{"pages": 10, "word_count": 5000}, {"status_code": 200, "response_time_ms": 450},
     {"valid_rows": 950, "invalid_rows": 50}],
)  # fmt: skip
def test_a_summary_is_a_map_for_showing_and_asking(example: Example, summary: dict[str, int]) -> None:
    row = example.change(example.one("extract", 2), summary=summary)
    assert row["summary"] == summary
    for name, value in summary.items():
        found = example.client.get(f"/task-outputs?summary.{name}>={value}&summary.{name}<{value + 1}").json()["data"]
        assert row["id"] in [one["id"] for one in found]


def test_a_task_s_name_is_as_the_flow_writes_it(example: Example) -> None:
    assert set(names(example.rows(task_name="call_api"))) == {"call_api"}
    assert example.rows(task_name="CALL_API") == []


def test_tags_group_and_find(example: Example) -> None:
    rows = [example.one("extract"), example.one("extract", 1)]
    ids = [row["id"] for row in rows]
    given = {"ids": ids, "add": {"quality": "checked"}}
    assert example.client.post("/task-outputs/tags", json=given).status_code == 204
    assert [row["id"] for row in example.rows(tag="quality:checked")] == ids[::-1]
    assert example.one("extract")["tags"] == {"quality": "checked"}


# -- "Planned enhancements"


def test_plan_filter_by_flow_execution(example: Example) -> None:
    run = example.runs[1]
    assert names(example.rows(flow_execution_id=run["id"])) == ["validate", "call_api", "extract"]


def test_plan_filter_by_task_name(example: Example) -> None:
    assert set(names(example.rows(task_name=["extract", "validate"]))) == {"extract", "validate"}


def test_plan_filter_by_status(example: Example) -> None:
    assert names(example.rows(status="failed")) == ["extract"]
    assert names(example.rows(status=["failed", "running"])) == ["ask", "extract"]


def test_plan_pagination(example: Example) -> None:
    rows = example.rows()
    page = example.client.get("/task-outputs", params={"limit": 3}).json()
    assert (page["data"], page["has_more"]) == (rows[:3], True)
    assert page["next"] == f"/api/v1/task-outputs?limit=3&starting_after={rows[2]['id']}"
    assert example.rows(limit=3, starting_after=rows[2]["id"]) == rows[3:6]
    last = example.client.get("/task-outputs", params={"starting_after": rows[-1]["id"]}).json()
    assert last == {"data": [], "has_more": False, "next": None}


def test_plan_date_range(example: Example) -> None:
    rows = example.rows(flow_id="documents")
    middle = datetime.fromisoformat(rows[3]["created_at"])
    after = (middle - timedelta(microseconds=1)).isoformat()
    assert example.rows(created_after=after, flow_id="documents") == rows[:4]
    before = (middle + timedelta(microseconds=1)).isoformat()
    assert example.rows(created_before=before, flow_id="documents") == rows[3:]
    assert example.rows(created_after=after, created_before=before) == [rows[3]]


# -- related endpoints, uses, errors


def test_an_execution_shows_its_task_outputs_filtered(example: Example) -> None:
    path = f"/flow-executions/{example.runs[1]['id']}"
    shown = example.client.get(path, params={"include": "task_outputs"}).json()["task_outputs"]
    assert shown == example.rows(flow_execution_id=example.runs[1]["id"])[::-1]
    some = example.client.get(
        path, params={"include": "task_outputs", "task_name": ["extract", "call_api"], "status": "completed"}
    ).json()["task_outputs"]
    assert names(some) == ["extract", "call_api"]


def test_the_task_execution_of_the_same_id_has_the_details(example: Example) -> None:
    row = example.one("extract", 2)
    shown = example.client.get(f"/task-executions/{row['id']}").json()
    assert (shown["id"], shown["state"], shown["error"]) == (row["id"], "FAILED", "the file is damaged")
    assert row["id"] in [one["id"] for one in example.client.get("/task-executions").json()["data"]]


def test_everything_is_exported_for_other_systems(example: Example) -> None:
    told = example.client.get("/task-outputs", headers={"Accept": "application/x-ndjson"})
    assert [json.loads(line) for line in told.text.splitlines()] == example.rows()


def test_a_dashboard_asks_for_numbers_alone(example: Example) -> None:
    page = example.client.get("/task-outputs", params={"status": "failed", "count": "true", "limit": 1, "fields": "id"})
    assert (page.json()["count"], page.headers["x-total-count"]) == (1, "1")
    head = example.client.head("/task-outputs", params={"flow_id": "documents"})
    assert head.headers["x-total-count"] == "6"


def test_errors_have_one_detail_structure(example: Example) -> None:
    for path, status in (("/task-outputs/nothing", 404), ("/task-outputs?limit=0", 422), ("/nothing", 404)):
        answer = example.client.get(path)
        told = answer.json()
        assert (answer.status_code, told.keys()) == (status, {"error", "request_id"})
        assert told["error"].keys() == {"code", "message", "details"}
        assert told["request_id"] == answer.headers["x-request-id"]
