"""Who is let in, to what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from core.app import Installation
from core.errors import Invalid
from tailrace_server.options import Options
from tailrace_server.serve import serve as serve_until_signal
from tests.waiting import PATIENCE

ID = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"
CHALLENGE = 'Bearer realm="api"'


@pytest.fixture(scope="module")
def keyed(deployment: Installation, serve: Callable[..., Any]) -> Iterator[Any]:
    """A server with keys, of the address that everybody reaches."""
    deployment.keys.create("default", "first", "admin")
    with serve(deployment, host="0.0.0.0") as api:
        yield api


def key(deployment: Installation, role: str, organization: str = "default", **more: Any) -> str:
    _, secret = deployment.keys.create(organization, role, role, **more)  # type: ignore[arg-type]
    return secret


def routes(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), re.sub(r"{\w+}", ID, path), operation


def test_every_route_of_the_document_asks_for_a_key(keyed: Any) -> None:
    with httpx.Client(base_url=keyed.url.removesuffix("/api/v1"), timeout=PATIENCE) as client:
        found = {(method, path): client.request(method, path) for method, path, _ in routes(keyed.document)}
    assert {name: answer.status_code for name, answer in found.items() if answer.status_code != 401} == {
        ("GET", "/api/v1/health"): 200
    }
    refused = [answer for answer in found.values() if answer.status_code == 401]
    assert len(refused) > 10
    for answer in refused:
        assert answer.headers["www-authenticate"] == CHALLENGE
        assert answer.json() == {
            "error": {"code": "unauthorized", "message": "this needs an API key: `Authorization: Bearer KEY`", "details": []},
            "request_id": answer.headers["x-request-id"],
        }  # fmt: skip


@pytest.mark.parametrize("path", ["/nothing", "/metrics", "/task-outputs/../health/x", "//nothing/", "/metrics/"])
def test_what_no_route_knows_asks_for_a_key_too(keyed: Any, path: str) -> None:
    with httpx.Client(timeout=PATIENCE) as client:
        assert client.get(f"{keyed.url}{path}").status_code == 401
        assert client.request("OPTIONS", f"{keyed.url}{path}").status_code == 401


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs", "//health/"])
def test_what_is_for_everybody_needs_no_key(keyed: Any, path: str) -> None:
    with httpx.Client(timeout=PATIENCE) as client:
        assert client.get(f"{keyed.url}{path}").status_code == 200


@pytest.mark.parametrize("given", ["Bearer nothing", "Basic abc", "Bearer", "", "Bearer a b"])
def test_a_wrong_key_is_refused(keyed: Any, given: str) -> None:
    with httpx.Client(timeout=PATIENCE) as client:
        answer = client.get(f"{keyed.url}/task-outputs", headers={"Authorization": given})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="invalid_token"'
    assert answer.json()["error"]["code"] == "unauthorized"


def test_a_revoked_key_is_refused(keyed: Any, deployment: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    made, secret = deployment.keys.create("default", "short", "viewer")
    client = keyed.client(secret)
    assert client.get("/task-outputs").status_code == 200
    deployment.keys.revoke("default", made.id)
    assert client.get("/task-outputs").status_code == 401


NEEDED = {"viewer": 0, "editor": 1, "admin": 2}


@pytest.mark.parametrize("role", list(NEEDED))
def test_each_role_may_what_the_document_says(keyed: Any, deployment: Installation, role: str) -> None:
    """403 exactly where the role is too small; what is refused otherwise is refused later."""
    with httpx.Client(timeout=PATIENCE, base_url=keyed.url.removesuffix("/api/v1"),
                      headers={"Authorization": f"Bearer {key(deployment, role)}"}) as client:  # fmt: skip
        for method, path, operation in routes(keyed.document):
            needed = re.search(r"Role: (\w+)\.", operation["description"])
            if needed is None or (method == "GET" and path.endswith(("/events", "/follow"))):
                continue
            status = client.request(method, path).status_code
            assert (status == 403) is (NEEDED[role] < NEEDED[needed[1]]), f"{method} {path} gave {status}"


def test_a_role_that_is_too_small_is_told(keyed: Any, deployment: Installation) -> None:
    answer = keyed.client(key(deployment, "viewer")).delete(f"/task-outputs/{ID}")
    assert answer.status_code == 403
    assert answer.json()["error"] == {
        "code": "forbidden", "message": "this needs an API key of the role editor: yours is viewer", "details": []
    }  # fmt: skip


def test_organizations_see_nothing_of_each_other(keyed: Any, deployment: Installation, flow: str) -> None:
    deployment.keys.create_organization("acme")
    run = deployment.services("default").run(flow)
    own, other = keyed.client(key(deployment, "admin")), keyed.client(key(deployment, "admin", "acme"))
    ids = [row["id"] for row in own.get("/task-outputs").json()["data"]]
    assert len(ids) == 3
    assert other.get("/task-outputs").json() == {"data": [], "has_more": False, "next": None}
    for one in ids:
        assert other.get(f"/task-outputs/{one}").status_code == 404
        assert other.get(f"/task-outputs/{one}/output").status_code == 404
        assert other.delete(f"/task-outputs/{one}").status_code == 404
        assert other.post(f"/task-outputs/{one}/restore").status_code == 404
        assert other.patch(f"/task-outputs/{one}", json={"tags": {}}, headers={"If-Match": "*"}).status_code == 404
    assert other.post("/task-outputs/tags", json={"ids": ids, "add": {"a": "b"}}).status_code == 404
    assert other.post("/task-outputs", json={"flow_execution_id": run.id, "task_name": "x"}).status_code == 404
    assert [row["tags"] for row in own.get("/task-outputs").json()["data"]] == [{}, {}, {}]


# -- without keys


def test_without_keys_the_caller_is_admin_of_the_default_organization(fresh: Installation, serve: Any, flow: str) -> None:
    fresh.services("default").run(flow)
    with serve(fresh) as api:
        client = api.client()
        assert {row["organization_id"] for row in client.get("/task-outputs").json()["data"]} == {"default"}
        assert client.get("/metrics").status_code == 200


def test_from_the_first_key_on_every_request_needs_one(fresh: Installation, serve: Any) -> None:
    with serve(fresh) as api:
        client = api.client()
        assert client.get("/task-outputs").status_code == 200
        secret = key(fresh, "viewer")
        assert client.get("/task-outputs").status_code == 401
        assert api.client(secret).get("/task-outputs").status_code == 200


def test_without_keys_a_wrong_one_is_still_wrong(fresh: Installation, serve: Any) -> None:
    with serve(fresh) as api:
        assert api.client("wrong").get("/task-outputs").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "["}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost.evil.example:80"}, 403),
        ({"Host": "localhost:80", "Origin": "http://["}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "localhost:80", "Origin": "http://localhost:80"}, 200),
        ({"Host": "localhost:80", "Origin": "http://evil.example"}, 403),
        ({"Host": "localhost:80", "Origin": "null"}, 403),
    ],
)
def test_without_keys_no_page_of_a_browser_reaches_the_server(
    fresh: Installation, serve: Any, headers: dict[str, str], status: int
) -> None:
    with serve(fresh) as api:
        assert api.client().get("/task-outputs", headers=headers).status_code == status


def test_without_keys_nobody_else_can_reach_the_server(fresh: Installation) -> None:
    with pytest.raises(Invalid) as refused:
        serve_until_signal(fresh, Options(note=print, host="0.0.0.0", port=0), None, print)
    assert str(refused.value) == (
        "--host: without any API key only this machine may reach the server, not 0.0.0.0\n"
        "  expected: 127.0.0.1\n"
        "  to do: api-keys create --organization ORG --role admin makes a key"
    )
