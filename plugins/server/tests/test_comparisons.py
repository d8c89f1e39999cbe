"""`GET /flow-executions/{id}/compare`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.app import App, Installation
from core.app.remote.services import open_remote
from core.model.data import evolve
from core.settings import Settings

from .conftest import Api

FLOW = """
id: prices
namespace: company.team
inputs: [{id: price, type: FLOAT}]
tasks:
  - {id: rows, type: output.OutputValues, values: {rows: [{id: 1, price: "{{ inputs.price }}"}, {id: 2, price: 2}]}}
  - {id: fixed, type: debug.Return, format: always}
"""
UNKNOWN = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"


@pytest.fixture(scope="module")
def two(app: App) -> tuple[str, str]:
    first, second = (app.run(FLOW, {"price": price}).id for price in (1.5, 3))
    return first, second


def test_the_values_that_differ_come_first(client: httpx.Client, two: tuple[str, str]) -> None:
    answer = client.get(f"/flow-executions/{two[0]}/compare", params={"with": two[1]}).json()
    assert (answer["first"], answer["second"], answer["more"]) == (*two, False)
    assert answer["counts"] == {"changed": 1, "added": 0, "removed": 0, "same": 1}
    assert answer["inputs"] == [{"path": "price", "change": "changed", "before": 1.5, "after": 3.0}]
    rows, fixed = answer["differences"]
    assert (rows["task_name"], rows["name"], rows["change"]) == ("rows", "values", "changed")
    assert rows["parts"] == [{"path": "rows[id=1].price", "change": "changed", "before": "1.5", "after": "3.0"}]
    assert rows["tables"] == [{
        "path": "rows", "before": 2, "after": 2, "key": "id", "added": 0, "removed": 0, "changed": 1,
        "columns_added": [], "columns_removed": [], "first_rows": 0,
    }]  # fmt: skip
    assert rows["after"]["rows"][0] == {"id": 1, "price": "3.0"}
    assert (fixed["task_name"], fixed["name"], fixed["change"], fixed["parts"]) == ("fixed", "", "same", [])
    one = client.get(f"/flow-executions/{two[0]}/compare", params={"with": two[1], "limit": 1}).json()
    assert (len(one["differences"]), one["more"], one["counts"]) == (1, True, answer["counts"])


def test_values_without_room_in_the_answer_are_left_out(
    serve: Callable[..., Any], deployment: Installation, two: tuple[str, str]
) -> None:
    with serve(deployment, max_result=300) as api:
        path = f"/flow-executions/{two[0]}/compare"
        rows = api.client().get(path, params={"with": two[1]}).json()["differences"][0]
    assert (rows["before"], rows["after"], rows["parts"]) == (None, None, [])
    assert (rows["large"], rows["more"], rows["tables"][0]["changed"]) == (True, True, 1)


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        ("{}/compare", {}, 422, "the query has parameters that can't be read"),
        ("{}/compare", {"with": "last"}, 422, "the query has parameters that can't be read"),
        ("{}/compare", {"with": UNKNOWN}, 404, f"there is no execution `{UNKNOWN}`"),
        (f"{UNKNOWN}/compare", {"with": UNKNOWN}, 404, f"there is no execution `{UNKNOWN}`"),
        ("last/compare", {"with": UNKNOWN}, 404, "there is no flow execution of this id"),
    ],
)
def test_what_is_not_there_is_refused(
    client: httpx.Client, two: tuple[str, str], path: str, query: dict[str, str], status: int, message: str
) -> None:
    answer = client.get(f"/flow-executions/{path.format(two[0])}", params=query)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, message)


def test_a_client_of_the_api_gets_what_the_home_gives(
    api: Api, app: App, two: tuple[str, str], tmp_path: Path
) -> None:
    settings = evolve(Settings(home=tmp_path, environment={}), server=api.url)
    with open_remote(settings) as remote:
        assert remote.outputs.compare(two[0], "last") == app.outputs.compare(two[0], two[1])
