"""What may be changed of task outputs, by people and by outside workers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core.app import App

UNKNOWN = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["task_name"] for row in answer.json()["data"]]


# -- changes


@pytest.fixture
def own(app: App, flow: str) -> dict[str, str]:
    """Task name → id, of an execution that nobody else changes."""
    return {task.task_name: task.id for task in app.executions.tasks(app.run(flow).id)}


def change(client: httpx.Client, one: str, version: str | None, **body: Any) -> httpx.Response:
    headers = {} if version is None else {"If-Match": version}
    return client.patch(f"/task-outputs/{one}", json=body, headers=headers)


def test_a_correction_makes_stale_what_read_it(client: httpx.Client, own: dict[str, str]) -> None:
    before = client.get(f"/task-outputs/{own['fetch']}")
    answer = change(client, own["fetch"], before.headers["etag"], output={"value": "43"}, summary={"value": 43},
                    tags={"by": "hand"}, reason="a mistake")  # fmt: skip
    assert answer.status_code == 200
    after = answer.json()
    assert after == {
        **before.json(), "output": {"value": "43"}, "summary": {"value": 43}, "tags": {"by": "hand"}, "version": 2,
        "modified_by": "local", "updated_at": after["updated_at"], "made_stale": [own["twice"]],
    }  # fmt: skip
    assert answer.headers["etag"].startswith('"2-')
    assert client.get(f"/task-outputs/{own['twice']}").json()["status"] == "stale"
    assert client.get(f"/task-outputs/{own['large']}").json()["status"] == "completed"


def test_what_is_left_out_stays(client: httpx.Client, own: dict[str, str]) -> None:
    after = change(client, own["fetch"], "*", tags={"a": "b"}).json()
    assert (after["output"], after["summary"], after["tags"]) == ({"value": "42"}, {"value": "42"}, {"a": "b"})
    assert change(client, own["fetch"], "*", output=None).json()["output"] is None


MISMATCHES = ['"2-5f4f9bef3b2ce571"', '"2"', '"x"', "2", 'W/"1-abc"', "", '"-1"']


def test_a_correction_says_of_which_version(client: httpx.Client, own: dict[str, str]) -> None:
    answer = change(client, own["fetch"], None, tags={"a": "b"})
    assert answer.status_code == 428
    assert answer.json()["error"] == {
        "code": "precondition_required", "message": "say which version you change",
        "details": [{"path": "header.If-Match", "message": "expected: the ETag of what you read, or *"}],
    }  # fmt: skip


@pytest.mark.parametrize("version", MISMATCHES)
def test_a_correction_of_another_version_is_refused(client: httpx.Client, own: dict[str, str], version: str) -> None:
    answer = change(client, own["fetch"], version, tags={"a": "b"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "precondition_failed")
    assert client.get(f"/task-outputs/{own['fetch']}").json()["tags"] == {}


@pytest.mark.parametrize("version", ['"1-5f4f9bef3b2ce571"', '"1-5f4f9bef3b2ce571-gzip"', '"1"', "*", '"9", "1-abc"'])
def test_a_correction_of_this_version_is_made(client: httpx.Client, own: dict[str, str], version: str) -> None:
    assert change(client, own["fetch"], version, tags={"a": "b"}).json()["tags"] == {"a": "b"}


@pytest.mark.parametrize(
    "body", [{"tags": {"a:b": "c"}}, {"tags": {"": "c"}}, {"summary": None}, {"tags": None}, {"summary": []}]
)
def test_a_correction_that_can_not_be_is_refused(client: httpx.Client, own: dict[str, str], body: dict[str, Any]) -> None:
    answer = change(client, own["fetch"], "*", **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


def test_a_deleted_output_is_hidden_and_can_be_brought_back(client: httpx.Client, own: dict[str, str]) -> None:
    path = f"/task-outputs/{own['fetch']}"
    listed = f"/task-outputs?flow_execution_id={client.get(path).json()['flow_execution_id']}"
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 204
    assert names(client.get(listed)) == ["large", "twice"]
    assert names(client.get(f"{listed}&status=deleted")) == ["fetch"]
    assert client.get(path).json()["status"] == "deleted"
    restored = client.post(f"{path}/restore")
    assert (restored.status_code, restored.json()["status"]) == (200, "completed")
    assert names(client.get(listed)) == ["large", "twice", "fetch"]


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "", {}),
        ("GET", "/output", {}),
        ("DELETE", "", {}),
        ("POST", "/restore", {}),
        ("PATCH", "", {"json": {"tags": {}}, "headers": {"If-Match": "*"}}),
        ("PATCH", "", {"json": {"tags": {}}, "headers": {"If-Match": '"1-a"'}}),
    ],
)
@pytest.mark.parametrize("one", [UNKNOWN, "last", "0", "%00", "01979d8a", "a%2Fb", UNKNOWN.upper()])
def test_what_is_not_there_is_missing(client: httpx.Client, method: str, path: str, more: dict[str, Any], one: str) -> None:
    answer = client.request(method, f"/task-outputs/{one}{path}", **more)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "missing")


# -- outside workers


def test_an_outside_worker_adds_an_output(app: App, client: httpx.Client, flow: str) -> None:
    run = app.run(flow)
    given = {
        "flow_execution_id": run.id, "task_name": "review", "value": "eu", "output": {"verdict": "fine"},
        "summary": {"score": 9}, "tags": {"by": "Ada"},
    }  # fmt: skip
    answer = client.post("/task-outputs", json=given)
    assert answer.status_code == 201
    added = answer.json()
    assert answer.headers["location"] == f"/api/v1/task-outputs/{added['id']}"
    assert {name: added[name] for name in given} == given
    assert {name: added[name] for name in ("status", "state", "modified_by", "version", "error", "flow_id")} == {
        "status": "completed", "state": "SUCCESS", "modified_by": "local", "version": 1, "error": None,
        "flow_id": "products",
    }  # fmt: skip
    assert names(client.get(f"/task-outputs?flow_execution_id={run.id}&limit=1")) == ["review"]


def test_a_failed_one_says_why(app: App, client: httpx.Client, flow: str) -> None:
    given = {"flow_execution_id": app.run(flow).id, "task_name": "review", "status": "failed", "error": "no paper"}
    added = client.post("/task-outputs", json=given).json()
    assert [added[name] for name in ("status", "state", "error", "output")] == ["failed", "FAILED", "no paper", None]


def test_the_same_request_happens_once(app: App, client: httpx.Client, flow: str) -> None:
    given: dict[str, Any] = {"flow_execution_id": app.run(flow).id, "task_name": "review", "output": 1}
    headers = {"Idempotency-Key": "k-1"}
    first, second = (client.post("/task-outputs", json=given, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    other = client.post("/task-outputs", json={**given, "output": 2}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")


def test_what_the_flow_runs_itself_is_not_added(app: App, client: httpx.Client, flow: str) -> None:
    answer = client.post("/task-outputs", json={"flow_execution_id": app.run(flow).id, "task_name": "fetch"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


def test_an_execution_that_is_not_there_takes_nothing(client: httpx.Client) -> None:
    answer = client.post("/task-outputs", json={"flow_execution_id": UNKNOWN, "task_name": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "missing")


# -- tags of many


def test_tags_of_many_are_changed_at_once(client: httpx.Client, own: dict[str, str]) -> None:
    chosen = [own["fetch"], own["twice"]]
    assert client.post("/task-outputs/tags", json={"ids": chosen, "add": {"a": "1", "b": "2"}}).status_code == 204
    assert client.post("/task-outputs/tags", json={"ids": chosen, "add": {"c": "3"}, "remove": ["a"]}).status_code == 204
    found = [client.get(f"/task-outputs/{own[name]}").json() for name in ("fetch", "twice", "large")]
    assert [(one["tags"], one["version"]) for one in found] == [({"b": "2", "c": "3"}, 3), ({"b": "2", "c": "3"}, 3), ({}, 1)]


@pytest.mark.parametrize(
    ("ids_", "more", "status"),
    [
        ([UNKNOWN], {"add": {"a": "1"}}, 404),
        ([], {"add": {"a": "1"}}, 422),
        ([UNKNOWN] * 101, {"add": {"a": "1"}}, 422),
        (["last"], {"add": {"a": "1"}}, 422),
        ([], {}, 422),
    ],
)
def test_all_of_them_or_none(
    client: httpx.Client, own: dict[str, str], ids_: list[str], more: dict[str, Any], status: int
) -> None:
    chosen = [own["fetch"], *ids_] if ids_ == [UNKNOWN] else ids_
    assert client.post("/task-outputs/tags", json={"ids": chosen, **more}).status_code == status
    assert client.get(f"/task-outputs/{own['fetch']}").json()["tags"] == {}
