"""Two organizations on one server: whatever the one asks for of the other is not there.

The requests are made from the API's document, so that a new route is asked as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from attrs import frozen

from .conftest import Api, installed, serving

FLOW = """
id: private_{name}
namespace: {name}.private
labels: {{owner: {name}}}
tasks:
  - {{id: only, type: debug.Return, format: "word of {name}"}}
"""
HARMLESS = {"source": "id: own\nnamespace: own\ntasks:\n  - {id: a, type: debug.Return, format: x}\n"}


@frozen
class Tenant:
    """An organization with everything there can be of one. known: what the other one may know and send."""

    name: str
    client: httpx.Client
    known: dict[str, str]

    @property
    def word(self) -> str:
        """Stands in everything that only this organization may see, and in nothing that the other one sends."""
        return f"word of {self.name}"


def tenant(api: Api, name: str) -> Tenant:
    deployment = api.deployment
    deployment.keys.create_organization(name)
    _, secret = deployment.keys.create(name, f"word of {name}", "admin")
    client = api.client(secret)
    source = FLOW.format(name=name)
    assert client.put(f"/flows/{name}.private/private_{name}", json={"source": source}).status_code == 200
    started = client.post(
        "/flow-executions", params={"wait": 20},
        json={"namespace": f"{name}.private", "flow_id": f"private_{name}", "labels": {"note": f"word of {name}"}},
    ).json()  # fmt: skip
    assert started["state"] == "SUCCESS"
    output = client.get("/task-outputs").json()["data"][0]
    uri = f"storage:///{name}/file.txt"
    deployment.services(name).storage.put(name, f"{name}/file.txt", BytesIO(f"word of {name}".encode()))
    known = {
        "flow_execution_id": started["id"], "id": output["id"], "namespace": f"{name}.private",
        "flow_id": f"private_{name}", "uri": uri,
    }  # fmt: skip
    return Tenant(name, client, known)


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tenant, Tenant, Api]]:
    with installed(tmp_path_factory.mktemp("home")) as deployment:
        engine = deployment.engine(workers=2, processes=False)
        engine.start()
        try:
            with serving(deployment, engine=engine) as api:
                yield tenant(api, "acme"), tenant(api, "globex"), api
        finally:
            engine.close()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield method, path.removeprefix("/api/v1"), operation


def query(operation: dict[str, Any], known: dict[str, str]) -> Iterator[dict[str, str]]:
    """No parameters, and each one alone that can name something of the other."""
    yield {}
    for one in operation.get("parameters", ()):
        name = one["name"]
        if one["in"] == "query":
            if name in ("starting_after", "ending_before") and one["schema"].get("type") != "integer":
                yield {name: known["id"]}
                yield {name: known["flow_execution_id"]}
            elif name in known:
                yield {name: known[name]}
            elif name in ("subject", "task_name", "label"):
                yield {name: known["id"]}


def bodies(operation: dict[str, Any], document: dict[str, Any], known: dict[str, str]) -> dict[str, Any] | None:
    """A body with everything in it that can name something of the other."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    body: dict[str, Any] = {}
    for name in schema["properties"]:
        if name == "ids":
            body[name] = [known["id"]]
        elif name in known:
            body[name] = known[name]
        elif name == "expression":
            body[name] = "outputs"
        elif name == "source":
            body[name] = HARMLESS["source"]
        elif name == "tags" or name == "add":
            body[name] = {"seen": "yes"}
    if "flow_execution_id" in body and "task_name" in schema["properties"]:
        body["task_name"] = "outside" if "status" in schema["properties"] else "only"
    return body


def everything(one: Tenant) -> str:
    """All that an organization sees of its own."""
    paths = ("/task-outputs?status=deleted", "/task-outputs", "/task-executions", "/flow-executions", "/flows", "/audit")
    return json.dumps([one.client.get(path).json() for path in paths])


def test_whatever_is_asked_of_the_other_organization_is_not_there(tenants: tuple[Tenant, Tenant, Api]) -> None:
    acme, globex, api = tenants
    for asking, other in ((acme, globex), (globex, acme)):
        before = everything(other)
        asked = 0
        for method, path, operation in operations(api.document):
            ids = (other.known["id"], other.known["flow_execution_id"]) if "{id}" in path else ("",)
            for identifier in ids:
                filled = path.format(**{**other.known, "id": identifier})
                for parameters in query(operation, other.known):
                    content = bodies(operation, api.document, other.known)
                    status, text = ask(asking, method, filled, parameters, content)
                    where = f"{method} {filled} {parameters} {content} gave {status}: {text[:300]}"
                    assert status < 500, where
                    assert status not in (401, 403), where
                    assert other.word not in text, where
                    if "{id}" in path or (method == "get" and "{flow_id}" in path):
                        assert status in (404, 422), where
                    asked += 1
        assert asked > 60
        assert everything(other) == before


def ask(one: Tenant, method: str, path: str, parameters: dict[str, str], content: Any) -> tuple[int, str]:
    """The answer; of one that streams, what came within a moment."""
    with one.client.stream(
        method.upper(), path, params=parameters, json=content, headers={"If-Match": "*", "Last-Event-ID": "0"}
    ) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            text = ""
            for chunk in answer.iter_text():
                text += chunk
                if len(text) > 200 or text == "retry: 2000\n\n":
                    break
            return answer.status_code, text
        return answer.status_code, answer.read().decode("utf-8", "replace")


def test_each_sees_its_own(tenants: tuple[Tenant, Tenant, Api]) -> None:
    """What the test above looks for would be found."""
    for one in tenants[:2]:
        assert one.word in everything(one)
        assert one.word in ask(one, "get", "/files", {"uri": one.known["uri"]}, None)[1]
        assert one.word in ask(one, "get", f"/task-outputs/{one.known['id']}/output", {}, None)[1]


def test_executions_of_both_organizations_are_worked_on_by_one_engine(tenants: tuple[Tenant, Tenant, Api]) -> None:
    for one in tenants[:2]:
        answer = one.client.post(
            "/flow-executions", params={"wait": 20},
            json={"namespace": one.known["namespace"], "flow_id": one.known["flow_id"]},
        )  # fmt: skip
        assert (answer.json()["state"], answer.json()["organization_id"]) == ("SUCCESS", one.name)


def test_the_context_of_the_others_tasks_is_not_there(tenants: tuple[Tenant, Tenant, Api]) -> None:
    acme, globex, _ = tenants
    asked = {"expression": "outputs", "task_execution_id": globex.known["id"]}
    assert acme.client.post("/eval", json=asked).status_code == 404
    assert globex.word in globex.client.post("/eval", json=asked).text
