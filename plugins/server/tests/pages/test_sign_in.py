"""Signing in with an API key: the cookie, the token of every change, and where one goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tailrace_server.access import csrf_of
from tailrace_server.pages.sign_in import local
from tests.waiting import PATIENCE

from .conftest import Site, open_site, opened

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that everybody reaches through a proxy; its organizations are `default` and `acme`."""
    home = tmp_path_factory.mktemp("keyed")
    with open_site(home, keys=("default", "acme"), host="0.0.0.0", behind_proxy=True) as site:
        yield site


CLIENTS = count(1)


@contextmanager
def signed_in(site: Site, key: str) -> Iterator[httpx.Client]:
    """A client with the cookie of a session, of an address of its own: attempts are counted by address."""
    with site.client() as client:
        answer = client.post("/sign-in", data={"key": key}, headers={"X-Forwarded-For": f"10.0.0.{next(CLIENTS)}"})
        assert answer.status_code == 303, answer.text
        yield client


def token_of(page: str) -> str:
    found = re.search('name="csrf-token" content="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


# -- the way in


@pytest.mark.parametrize(
    ("path", "following"),
    [
        ("/", "%2F"),
        ("/executions?state=FAILED&limit=5", "%2Fexecutions%3Fstate%3DFAILED%26limit%3D5"),
        ("/nothing/%2F%2Fevil?x=%26", "%2Fnothing%2F%252F%252Fevil%3Fx%3D%2526"),
        ("//evil.example/", "%2F%2Fevil.example%2F"),
    ],
)
def test_a_page_leads_to_the_sign_in(keyed: Site, path: str, following: str) -> None:
    with httpx.Client(timeout=PATIENCE) as client:
        answer = client.get(keyed.url + path, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={following}")


def test_a_change_leads_there_too_and_is_not_done(keyed: Site) -> None:
    with keyed.client() as client:
        answer = client.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_programs_are_told_as_the_api_tells(keyed: Site) -> None:
    with httpx.Client(base_url=keyed.url, timeout=PATIENCE) as client:
        assert client.get("/executions").json()["error"]["code"] == "unauthorized"
        assert client.get("/api/v1/task-outputs", headers=HTML).json()["error"]["code"] == "unauthorized"


def test_a_wrong_key_in_a_header_is_no_matter_of_signing_in(keyed: Site) -> None:
    with keyed.client("wrong") as client:
        answer = client.get("/executions")
    assert answer.status_code == 401
    assert "<h1>Sign in first</h1>" in answer.text
    assert "This API key is not known, was revoked, or has expired." in answer.text


def test_the_form_needs_no_key(keyed: Site) -> None:
    page = keyed.get("/sign-in?next=/flows%3Fa%3Db")
    assert '<input type="hidden" name="next" value="/flows?a=b">' in page
    assert "csrf-token" not in page
    assert "<nav" not in page


# -- the session


def test_a_key_opens_a_session_in_a_cookie(keyed: Site) -> None:
    with keyed.client() as client:
        answer = client.post("/sign-in", data={"key": f" {keyed.key('viewer')} ", "next": "/executions?limit=3"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/executions?limit=3")
        pattern = r"session=[\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"
        assert re.fullmatch(pattern, answer.headers["set-cookie"])
        page = client.get("/executions").text
        assert "default · viewer" in page
        assert token_of(page) == csrf_of(client.cookies["session"])
        assert client.cookies["session"] not in page
        assert client.get("/sign-in?next=/executions").headers["location"] == "/executions"


@pytest.mark.parametrize("key", ["nothing", "", " ", "é", "x" * 5000])
def test_what_is_no_key_is_said_at_the_field(own_site: Site, key: str) -> None:
    with own_site.client() as client:
        answer = client.post("/sign-in", data={"key": key, "next": "/flows"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
    assert 'aria-describedby="key-problem"' in answer.text
    assert "This API key is not known, was revoked, or has expired.</p>" in answer.text
    assert '<input type="hidden" name="next" value="/flows">' in answer.text
    assert len(key) < 2 or key not in answer.text


def test_a_session_ends_with_the_sign_out_on_the_server_too(keyed: Site) -> None:
    with signed_in(keyed, keyed.key("viewer")) as client:
        kept = client.cookies["session"]
        answer = client.post("/sign-out", data={"csrf": csrf_of(kept)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert answer.headers["set-cookie"] == "session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    with httpx.Client(cookies={"session": kept}, timeout=PATIENCE) as client:
        assert client.get(f"{keyed.url}/executions", headers=HTML).status_code == 303


def test_a_session_ends_with_its_key(own_site: Site) -> None:
    made, secret = own_site.deployment.keys.create("default", "short", "viewer")
    with signed_in(own_site, secret) as client:
        assert client.get("/executions").status_code == 200
        own_site.deployment.keys.revoke("default", made.id)
        assert client.get("/executions").headers["location"] == "/sign-in?next=%2Fexecutions"


def test_a_session_sees_its_organization_alone(keyed: Site, flow: str) -> None:
    mine = keyed.run(flow)
    with signed_in(keyed, keyed.key("admin")) as own, signed_in(keyed, keyed.key("admin", "acme")) as other:
        assert mine.id in own.get("/executions").text
        assert mine.id not in other.get("/executions").text
        assert other.get(f"/api/v1/flow-executions/{mine.id}").status_code == 404
        assert own.get(f"/api/v1/flow-executions/{mine.id}").status_code == 200


def test_a_key_in_the_header_stands_before_a_session(keyed: Site) -> None:
    with signed_in(keyed, keyed.key("admin", "acme")) as client:
        headers = {**HTML, "Authorization": f"Bearer {keyed.key('viewer')}"}
        assert "default · viewer" in client.get("/executions", headers=headers).text


@pytest.mark.parametrize(
    ("behind_proxy", "headers", "secure"),
    [
        (False, {"X-Forwarded-Proto": "https"}, False),
        (True, {"X-Forwarded-Proto": "https"}, True),
        (True, {"X-Forwarded-Proto": "https, http"}, False),
        (True, {}, False),
    ],
)
def test_the_cookie_is_secure_when_the_request_was(
    tmp_path: Path, behind_proxy: bool, headers: dict[str, str], secure: bool
) -> None:
    with open_site(tmp_path, keys=("default",), behind_proxy=behind_proxy) as site, site.client() as client:
        answer = client.post("/sign-in", data={"key": site.key("viewer")}, headers=headers)
    assert answer.headers["set-cookie"].endswith("; Secure") is secure


# -- what others try


@pytest.mark.parametrize("given", [
    "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\t/evil.example", "/\n//evil", "javascript:1",
    "", None, "/é", "/a b", " /a", "/a\\b",
])  # fmt: skip
def test_the_way_on_leads_nowhere_else(given: str | None) -> None:
    assert local(given) == "/"


@pytest.mark.parametrize("given", ["/", "/executions", "/executions?a=b&c=%2F%2F#x", "/flows/company.team/a-b"])
def test_the_way_on_is_a_path_of_this_server(given: str) -> None:
    assert local(given) == given


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 303),
        ({}, 303),
    ],
)
def test_nobody_is_signed_in_by_a_page_of_somebody_else(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with open_site(tmp_path, keys=("default",), host="0.0.0.0") as site, site.client() as client:
        answer = client.post("/sign-in", data={"key": site.key("viewer")}, headers=headers)
    assert answer.status_code == status


def test_a_change_needs_the_token_of_the_session(keyed: Site) -> None:
    key = keyed.key("editor")
    with signed_in(keyed, key) as client, signed_in(keyed, key) as other:
        for token in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": csrf_of(other.cookies["session"])}):
            answer = client.post("/sign-out", data=token)
            assert answer.status_code == 403
            assert "This form is not of this server" in answer.text
        assert client.get("/executions").status_code == 200


def test_the_api_takes_changes_of_a_session_only_with_its_token(keyed: Site) -> None:
    body = {"key": "a", "ids": [], "add": {}}
    with signed_in(keyed, keyed.key("editor")) as client:
        token = csrf_of(client.cookies["session"])
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}):
            answer = client.post("/api/v1/task-outputs/tags", json=body, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"]["message"] == (
                "a change by the session of a browser needs its token, in the header X-CSRF-Token"
            )
        assert client.post("/api/v1/task-outputs/tags", json=body, headers={"X-CSRF-Token": token}).status_code == 422
        assert client.get("/api/v1/task-outputs", headers={"Accept": "*/*"}).status_code == 200


def test_guessing_is_slowed_down(own_site: Site) -> None:
    with own_site.client() as client:
        statuses = [client.post("/sign-in", data={"key": "guess"}).status_code for _ in range(12)]
        assert statuses == [422] * 10 + [429] * 2
        answer = client.post("/sign-in", data={"key": "guess"})
        assert int(answer.headers["retry-after"]) in range(1, 7)
        assert "Too many attempts to sign in; wait for a moment." in answer.text
        assert client.get("/executions").status_code == 200


def test_behind_a_proxy_each_client_has_attempts_of_its_own(tmp_path: Path) -> None:
    with open_site(tmp_path, behind_proxy=True) as site, site.client() as client:
        for number in range(12):
            headers = {"X-Forwarded-For": f"1.2.3.4, 10.0.0.{number}"}
            assert client.post("/sign-in", data={"key": "guess"}, headers=headers).status_code == 422


def test_the_tokens_of_a_deployment_are_new_each_time(own_site: Site) -> None:
    tokens = {own_site.deployment.token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[\w-]{43}", token) for token in tokens)


# -- without keys


def test_without_keys_forms_have_a_token_too(own_site: Site) -> None:
    with own_site.client() as client:
        token = token_of(client.get("/executions").text)
        assert client.post("/sign-out").status_code == 403
        assert client.post("/sign-out", data={"csrf": token}).status_code == 303


def test_without_keys_a_cookie_of_another_program_is_no_hindrance(own_site: Site) -> None:
    with own_site.client(cookies={"session": "eyJhIjoxfQ.Zx.y"}) as client:
        assert client.get("/executions").status_code == 200


# -- in the browser


@pytest.mark.browser
def test_one_signs_in_and_out_in_the_browser(keyed: Site, browser: Any, axe: Any, flow: str) -> None:
    from playwright.sync_api import expect

    of_default = keyed.run(flow)
    local_url = keyed.url.replace("0.0.0.0", "127.0.0.1")
    with opened(browser, local_url) as page:
        page.goto("/executions?limit=7")
        axe(page)
        expect(page.get_by_label("API key")).to_be_focused()
        page.get_by_label("API key").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("This API key is not known, was revoked, or has expired.")
        axe(page)
        page.get_by_label("API key").fill(keyed.key("editor", "acme"))
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{local_url}/executions?limit=7")
        expect(page.get_by_text("acme · editor")).to_be_visible()
        assert page.evaluate("document.cookie") == ""
        expect(page.locator(f'a[href="/executions/{of_default.id}"]')).to_have_count(0)
        page.goto(f"/executions/{of_default.id}")
        expect(page.get_by_role("heading", name="Not found")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{local_url}/sign-in")
        page.goto("/executions")
        expect(page).to_have_url(f"{local_url}/sign-in?next=%2Fexecutions")
