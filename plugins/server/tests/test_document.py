"""The API's document, and its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, get_args

import httpx
import pytest
from jsonschema import Draft202012Validator

from core.model.state import STATES, STATUSES
from tailrace_server.access import SESSION
from tailrace_server.schemas.common import State, Status


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/openapi.json").json()
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield f"{method} {path}", operation


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every map inside of a value."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from nodes(one)


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert set(document) == {"openapi", "info", "servers", "security", "paths", "components"}
    assert document["info"]["title"] == "Tailrace API"
    schemes = document["components"]["securitySchemes"]
    assert schemes["key"]["scheme"] == "bearer"
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", SESSION)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for node in nodes(document):
        if "$ref" in node:
            found: Any = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            assert found


def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            Draft202012Validator.check_schema(parameter["schema"])


def test_everything_is_described(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for name, operation in operations(document):
        assert operation["summary"], name
        assert not operation["summary"].endswith("."), name
        for parameter in operation.get("parameters", ()):
            assert parameter["in"] == "path" or parameter["description"], f"{name} {parameter['name']}"
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema:
            assert schema["description"], name


def test_every_path_parameter_is_declared(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", name)), name


def test_every_route_says_how_it_refuses(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        refusals = {status for status in operation["responses"] if status[0] in "45"}
        expected = {"422", "500", "503"} | (set() if operation.get("security") == [] else {"401", "403", "429"})
        assert expected <= refusals, name


def test_the_words_for_states_are_the_engine_s() -> None:
    assert set(get_args(State)) == set(STATES)
    assert set(get_args(Status)) == set(STATUSES)


def test_task_outputs_have_the_fields_that_were_promised(document: dict[str, Any]) -> None:
    promised = (
        "id flow_execution_id task_name value organization_id namespace flow_id flow_revision status state summary "
        "output output_size tags error modified_by version created_at updated_at"
    )
    schema = document["components"]["schemas"]["TaskOutput"]
    assert list(schema["properties"]) == schema["required"] == promised.split()
    assert list(document["components"]["schemas"]["TaskOutputRow"]["properties"]) == promised.split()


class Page(HTMLParser):
    """What a page loads, links to, and holds as text."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "img", "link", "iframe") or "src" in found:
            self.loads.append(tag)
        if "id" in found:
            self.ids.add(found["id"] or "")
        if tag == "a":
            self.links.append(found.get("href") or "")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_holds_everything_and_loads_nothing(client: httpx.Client, document: dict[str, Any]) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page()
    page.feed(answer.text)
    assert (page.loads, page.open) == ([], [])
    assert {operation["operationId"] for _, operation in operations(document)} <= page.ids
    assert set(document["components"]["schemas"]) <= page.ids
    assert [link for link in page.links if link.startswith("#") and link[1:] not in page.ids] == []
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}
