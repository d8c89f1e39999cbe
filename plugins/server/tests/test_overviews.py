"""What ran, what depends on what, and what a list amounts to: over the API, and asked by a client of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from core.app import App
from core.app.remote.services import open_remote
from core.errors import Invalid
from core.host.views import OutputFilter
from core.model.data import evolve
from core.settings import Settings

from .conftest import Api

UNKNOWN = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"
SUMMARIES: dict[str, dict[str, Any]] = {"fetch": {"rows": 5, "ok": True}, "twice": {"rows": 7.5}}


@pytest.fixture(scope="module")
def execution(app: App, flow: str) -> str:
    """`twice` was made from `fetch`; both have numbers in their summaries."""
    view = app.run(flow)
    for task in app.executions.tasks(view.id):
        if task.task_name in SUMMARIES:
            app.changes.correct(task.id, task.version, by="test", summary=SUMMARIES[task.task_name])
    return view.id


@pytest.fixture(scope="module")
def ids(app: App, execution: str) -> dict[str, str]:
    return {task.task_name: task.id for task in app.executions.tasks(execution)}


def test_the_outline_tells_what_ran(client: httpx.Client, execution: str, ids: dict[str, str]) -> None:
    answer = client.get(f"/flow-executions/{execution}/outline").json()["data"]
    assert [(one["task_name"], one["id"], one["states"]) for one in answer] == [
        (name, ids[name], {"SUCCESS": 1}) for name in ("fetch", "twice", "large")
    ]  # fmt: skip
    assert (answer[0]["type"], answer[0]["parent"], answer[0]["count"]) == ("debug.Return", None, 1)
    assert answer[0]["created_at"] <= answer[0]["started_at"] <= answer[0]["ended_at"]


def test_lineage_leads_to_both_sides(client: httpx.Client, ids: dict[str, str]) -> None:
    link = {"what": "outputs.fetch.value", "value": None, "purpose": "properties"}
    assert client.get(f"/task-outputs/{ids['twice']}/lineage").json() == {
        "sources": [{**link, "task_execution_id": ids["fetch"], "task_name": "fetch"}], "readers": [], "more": False,
    }  # fmt: skip
    assert client.get(f"/task-outputs/{ids['fetch']}/lineage").json()["readers"] == [
        {**link, "task_execution_id": ids["twice"], "task_name": "twice"}
    ]


def test_figures_are_of_the_rows_of_the_filters(client: httpx.Client, execution: str, ids: dict[str, str]) -> None:
    query = {"flow_execution_id": execution}
    answer = client.get("/task-outputs/figures", params=query).json()
    assert [(one["status"], one["count"]) for one in answer["per_day"]] == [("completed", 3)]
    assert {one["task_name"] for one in answer["durations"]} == {"fetch", "twice", "large"}
    assert (answer["summary_paths"], answer["examined"], answer["whole"]) == (["rows"], 3, True)
    assert answer["over_time"] is None
    one = client.get("/task-outputs/figures", params={**query, "summary.rows>": "6", "over_time": "rows"}).json()
    assert [(point["output_id"], point["value"]) for point in one["over_time"]] == [(ids["twice"], 7.5)]
    assert one["examined"] == 1


@pytest.mark.parametrize(
    ("text", "expected"), [("FETC", ["fetch"]), ("0123", ["large"]), ('4242"', ["twice"]), ("nothing", [])]
)
def test_lists_are_searched(client: httpx.Client, execution: str, text: str, expected: list[str]) -> None:
    query = {"flow_execution_id": execution, "search": text, "count": "true"}
    answer = client.get("/task-outputs", params=query).json()
    assert ([row["task_name"] for row in answer["data"]], answer["count"]) == (expected, len(expected))
    lines = client.get("/task-outputs", params={"search": text}, headers={"Accept": "application/x-ndjson"}).text
    assert len(lines.splitlines()) == len(expected)


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        (f"/flow-executions/{UNKNOWN}/outline", 404, f"there is no execution `{UNKNOWN}`"),
        ("/flow-executions/last/outline", 404, "there is no flow execution of this id"),
        (f"/task-outputs/{UNKNOWN}/lineage", 404, f"there is no task output `{UNKNOWN}`"),
        ("/task-outputs/figures?limit=5", 422, "the query has parameters that can't be read"),
        (f"/task-outputs?search={'x' * 201}", 422, "the text to search for is too long"),
    ],
)
def test_what_is_not_there_is_refused(client: httpx.Client, path: str, status: int, message: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, message)


def test_a_client_of_the_api_gets_what_the_home_gives(api: Api, app: App, execution: str, tmp_path: Path) -> None:
    settings = evolve(Settings(home=tmp_path, environment={}), server=api.url)
    which = OutputFilter(flow_execution_id=(execution,), search="t")
    with open_remote(settings) as remote:
        assert remote.executions.outline("last") == app.executions.outline(execution)
        for name in ("fetch", "twice"):
            assert remote.outputs.lineage(f"last/{name}") == app.outputs.lineage(f"last/{name}")
        assert remote.outputs.figures(which) == app.outputs.figures(which)
        assert remote.outputs.summary_over_time(which, "rows", 1) == app.outputs.summary_over_time(which, "rows", 1)
        assert [one.id for one in remote.outputs.list(which).data] == [one.id for one in app.outputs.list(which).data]
        with pytest.raises(Invalid) as caught:
            remote.executions.past_runs([("company.team", "products")])
        assert caught.value.what == "a server can't be asked to tell how flows went lately"
        with pytest.raises(Invalid) as caught:
            remote.outputs.summary_over_time(which, "rows", 501)
        assert str(caught.value) == "the limit 501 is out of range\n  expected: 1 to 500"
