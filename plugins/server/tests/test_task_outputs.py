"""`/task-outputs`: lists with filters and pages, single ones, and what may be changed of them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from core.app import App, Installation

OTHER = """
id: counts
namespace: company.finance
tasks:
  - {id: rows, type: output.OutputValues, values: {rows: 5, checked: true, region: eu}}
  - {id: more, type: output.OutputValues, values: {rows: 50, checked: false, region: us}}
"""
FAILING = """
id: failing
namespace: other
tasks:
  - {id: stop, type: execution.Fail, errorMessage: no luck}
"""
UNKNOWN = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"
LARGE = b'{"value":"0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 01234567"}'


@pytest.fixture(scope="module")
def runs(app: App, flow: str) -> dict[str, str]:
    """Flow id → id of its execution. Six task outputs, of which `twice` is tagged."""
    found = {"products": app.run(flow).id, "counts": app.run(OTHER).id, "failing": app.run(FAILING).id}
    twice = next(task for task in app.executions.tasks(found["products"]) if task.task_name == "twice")
    app.changes.tag([twice.id], {"quality": "checked", "by": "Ada"}, [], by="test")
    for task in app.executions.tasks(found["counts"]):
        summary = app.outputs.value(task.id)["values"]
        app.changes.correct(task.id, task.version, by="system", summary=summary)
    return found


@pytest.fixture(scope="module")
def ids(app: App, runs: dict[str, str]) -> dict[str, str]:
    """Task name → id."""
    return {task.task_name: task.id for run in runs.values() for task in app.executions.tasks(run)}


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["task_name"] for row in answer.json()["data"]]


# -- lists

FILTERS: dict[str, list[str]] = {
    "": ["stop", "more", "rows", "large", "twice", "fetch"],
    "flow_id=counts": ["more", "rows"],
    "flow_id=counts&flow_id=failing": ["stop", "more", "rows"],
    "flow_id=nothing": [],
    "namespace=company.team": ["large", "twice", "fetch"],
    "namespace=company": [],
    "namespace=company.*": ["more", "rows", "large", "twice", "fetch"],
    "namespace=other&namespace=company.finance": ["stop", "more", "rows"],
    "task_name=rows&task_name=fetch": ["rows", "fetch"],
    "status=failed": ["stop"],
    "status=completed&task_name=stop": [],
    "state=SUCCESS&flow_id=counts": ["more", "rows"],
    "state=FAILED&state=KILLED": ["stop"],
    "tag=quality": ["twice"],
    "tag=quality:checked": ["twice"],
    "tag=quality:poor": [],
    "tag=quality:poor&tag=by": ["twice"],
    "tag_all=quality&tag_all=by:Ada": ["twice"],
    "tag_all=quality&tag_all=by:Bo": [],
    "modified_by=test": ["twice"],
    "modified_by=system&flow_id=products": ["large", "fetch"],
    "created_after=2020-01-01": ["stop", "more", "rows", "large", "twice", "fetch"],
    "created_after=2999-01-01T00:00:00Z": [],
    "created_before=2020-01-01T00:00:00%2B02:00": [],
    "updated_after=2999-01-01": [],
    "updated_before=2999-01-01&limit=1": ["stop"],
    "summary.rows=5": ["rows"],
    "summary.rows!=5": ["more"],
    "summary.rows>5": ["more"],
    "summary.rows>=5": ["more", "rows"],
    "summary.rows<50": ["rows"],
    "summary.rows<=50": ["more", "rows"],
    "summary.rows%3E5": ["more"],
    "summary.rows%3E=5": ["more", "rows"],
    "summary.rows%3C50=": ["rows"],
    "summary.rows%3C%3D50": ["more", "rows"],
    "summary.rows%21%3D5": ["more"],
    "summary.region%3Deu": ["rows"],
    "summary.rows=>5": [],
    "summary.rows%3E4&summary.rows%3C6": ["rows"],
    "summary.region=eu": ["rows"],
    "summary.region!=eu": ["more"],
    "summary.checked=true": ["rows"],
    "summary.value=4242": ["twice"],
    "limit=2": ["stop", "more"],
    "fields=task_name&namespace=other": ["stop"],
}  # fmt: skip


@pytest.mark.parametrize(("query", "found"), FILTERS.items(), ids=FILTERS)
def test_a_list_shows_what_its_filters_say(client: httpx.Client, runs: dict[str, str], query: str, found: list[str]) -> None:
    assert names(client.get(f"/task-outputs?{query}")) == found


@pytest.mark.parametrize(("query", "found"), FILTERS.items(), ids=FILTERS)
def test_a_count_is_that_of_all_pages(client: httpx.Client, runs: dict[str, str], query: str, found: list[str]) -> None:
    expected = {"limit=2": 6, "updated_before=2999-01-01&limit=1": 6}.get(query, len(found))
    counted = client.get(f"/task-outputs?{query}&count=true")
    assert (counted.json()["count"], counted.headers["x-total-count"]) == (expected, str(expected))
    head = client.head(f"/task-outputs?{query}")
    assert (head.status_code, head.headers["x-total-count"], head.content) == (200, str(expected), b"")


def test_a_list_by_executions(client: httpx.Client, runs: dict[str, str]) -> None:
    query = f"flow_execution_id={runs['failing']}&flow_execution_id={runs['counts']}"
    assert names(client.get(f"/task-outputs?{query}")) == ["stop", "more", "rows"]


def test_a_row_has_everything(app: App, client: httpx.Client, runs: dict[str, str], ids: dict[str, str]) -> None:
    (row,) = client.get("/task-outputs?task_name=rows").json()["data"]
    times = {name: row.pop(name) for name in ("created_at", "updated_at")}
    assert row == {
        "id": ids["rows"],
        "flow_execution_id": runs["counts"],
        "task_name": "rows",
        "value": None,
        "organization_id": "default",
        "namespace": "company.finance",
        "flow_id": "counts",
        "flow_revision": 1,
        "status": "completed",
        "state": "SUCCESS",
        "summary": {"rows": 5, "checked": True, "region": "eu"},
        "output": {"values": {"rows": 5, "checked": True, "region": "eu"}},
        "output_size": 50,
        "tags": {},
        "error": None,
        "modified_by": "system",
        "version": 2,
    }
    assert all(len(at) == 27 and at.endswith("Z") for at in times.values())
    assert client.get(f"/task-outputs/{ids['rows']}").json() == {**row, **times}


def test_an_output_above_the_limit_is_a_reference(client: httpx.Client, ids: dict[str, str]) -> None:
    reference = {
        "size": len(LARGE), "sha256": sha256(LARGE).hexdigest(), "media_type": "application/json",
        "href": f"/api/v1/task-outputs/{ids['large']}/output",
    }  # fmt: skip
    (row,) = client.get("/task-outputs?task_name=large").json()["data"]
    assert row["output"] == reference
    assert client.get(f"/task-outputs/{ids['large']}").json()["output"] == reference


def test_what_has_no_room_in_an_answer_is_a_reference(deployment: Installation, serve: Any, runs: dict[str, str]) -> None:
    with serve(deployment, max_result=60) as api:
        found = api.client().get("/task-outputs?flow_id=counts").json()["data"]
    assert [set(row["output"]) for row in found] == [{"values"}, {"size", "sha256", "media_type", "href"}]


def test_fields_are_chosen(client: httpx.Client, ids: dict[str, str], runs: dict[str, str]) -> None:
    answer = client.get("/task-outputs?flow_id=failing&fields=error,%20id,status")
    assert answer.json() == {
        "data": [{"id": ids["stop"], "status": "failed", "error": "no luck"}], "has_more": False, "next": None,
    }  # fmt: skip


def test_a_walk_shows_every_row_once(app: App, client: httpx.Client, ids: dict[str, str], runs: dict[str, str]) -> None:
    def pages(url: str | None) -> Iterator[list[str]]:
        while url is not None:
            page = client.get(httpx.URL(client.base_url).join(url)).json()
            assert page["has_more"] is (page["next"] is not None)
            yield [row["id"] for row in page["data"]]
            url = page["next"]

    newest_first = [ids[name] for name in ("stop", "more", "rows", "large", "twice", "fetch")]
    forward = list(pages("/api/v1/task-outputs?limit=4&fields=id&namespace=company.*&namespace=other"))
    assert forward == [newest_first[:4], newest_first[4:]]
    backward = list(pages(f"/api/v1/task-outputs?fields=id&limit=2&ending_before={ids['fetch']}"))
    assert backward == [newest_first[3:5], newest_first[1:3], newest_first[:1]]
    oldest_first = list(pages("/api/v1/task-outputs?limit=4&fields=id&order=oldest"))
    assert oldest_first == [newest_first[:1:-1], newest_first[1::-1]]
    assert client.get("/task-executions?order=oldest&limit=1").json()["data"][0]["id"] == ids["fetch"]


def test_a_cursor_that_is_not_there_is_refused(client: httpx.Client) -> None:
    assert client.get(f"/task-outputs?starting_after={UNKNOWN}").status_code in (404, 422)


# -- bodies

RANGES: dict[str, tuple[dict[str, str], int, bytes, str | None]] = {
    "all": ({}, 200, LARGE, None),
    "from": ({"Range": "bytes=80-"}, 206, LARGE[80:], "bytes 80-85/86"),
    "from to": ({"Range": "bytes=2-6"}, 206, LARGE[2:7], "bytes 2-6/86"),
    "the last": ({"Range": "bytes=-3"}, 206, LARGE[-3:], "bytes 83-85/86"),
    "beyond the end": ({"Range": "bytes=80-999"}, 206, LARGE[80:], "bytes 80-85/86"),
    "more than all": ({"Range": "bytes=-999"}, 206, LARGE, "bytes 0-85/86"),
    "another unit": ({"Range": "rows=1-2"}, 200, LARGE, None),
    "several": ({"Range": "bytes=0-1,5-6"}, 200, LARGE, None),
    "nothing": ({"Range": "bytes=-"}, 200, LARGE, None),
    "of another version": ({"Range": "bytes=0-1", "If-Range": '"abc"'}, 200, LARGE, None),
    "of this version": ({"Range": "bytes=0-1", "If-Range": f'"{sha256(LARGE).hexdigest()}"'}, 206, LARGE[:2], "bytes 0-1/86"),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "status", "body", "content_range"), RANGES.values(), ids=RANGES)
def test_a_body_or_a_range_of_it(
    client: httpx.Client, ids: dict[str, str], headers: dict[str, str], status: int, body: bytes, content_range: str | None
) -> None:
    path = f"/task-outputs/{ids['large']}/output"
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, body, content_range)
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers["etag"] == f'"{sha256(LARGE).hexdigest()}"'
    assert answer.headers["accept-ranges"] == "bytes"
    head = client.head(path, headers=headers)
    assert (head.status_code, head.content, head.headers["content-length"]) == (status, b"", str(len(body)))


@pytest.mark.parametrize("asked", ["bytes=86-", "bytes=90-95", "bytes=5-3", "bytes=-0"])
def test_a_range_outside_is_refused(client: httpx.Client, ids: dict[str, str], asked: str) -> None:
    answer = client.get(f"/task-outputs/{ids['large']}/output", headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */86")
    assert answer.json()["error"] == {
        "code": "range_not_satisfiable", "message": "this range is not in the file", "details": [],
    }  # fmt: skip


def test_a_small_body_is_read_alike(client: httpx.Client, ids: dict[str, str]) -> None:
    answer = client.get(f"/task-outputs/{ids['fetch']}/output")
    assert (answer.content, answer.headers["content-type"]) == (b'{"value":"42"}', "application/json")
    again = client.get(f"/task-outputs/{ids['fetch']}/output", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_task_without_output_has_no_body(client: httpx.Client, ids: dict[str, str]) -> None:
    answer = client.get(f"/task-outputs/{ids['stop']}/output")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "this task execution gave no output"
