"""What stands around every page: what goes wrong as a page, the keyboard, the weight, parts that are replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tailrace_server.pages.looks import POLICY, static_files, static_version
from tests.waiting import PATIENCE

from .conftest import Site, opened

NOWHERE = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"
LIGHTEST = 60_000
"""Bytes over the wire, of everything that the first page needs."""


# -- what goes wrong


@pytest.mark.parametrize(
    ("path", "status", "title", "told"),
    [
        ("/nothing", 404, "Not found", "There is nothing at this path."),
        (f"/values/{NOWHERE}", 404, "Not found", f"There is no task output `{NOWHERE}`."),
        ("/executions?limit=0", 422, "Not understood", "`0` is not a whole number from 1 to "),
        ("/executions?stat=x", 422, "Not understood", "there is no such parameter; did you mean `state`?"),
    ],
)
def test_what_goes_wrong_is_a_page(site: Site, path: str, status: int, title: str, told: str) -> None:
    with site.client() as client:
        answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert f"<h1>{title}</h1>" in answer.text
    assert told in answer.text.replace("&#39;", "'")
    assert answer.headers["x-request-id"] in answer.text
    assert '<a href="/executions">Executions</a>' in answer.text.replace(' aria-current="page"', "")


def test_what_was_sent_is_shown_as_text(site: Site) -> None:
    with site.client() as client:
        answer = client.get("/executions?state=%3Cscript%3Ealert(1)%3C/script%3E")
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


def test_a_method_that_a_page_does_not_know(site: Site) -> None:
    with site.client() as client:
        answer = client.delete("/executions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert "<h1>Method Not Allowed</h1>" in answer.text


def test_scripts_of_pages_are_told_as_the_api_tells(site: Site) -> None:
    with httpx.Client(base_url=site.url, headers={"Accept": "application/json"}, timeout=PATIENCE) as client:
        answer = client.get("/nothing")
    assert answer.json() == {
        "error": {"code": "missing", "message": "there is nothing at this path", "details": []},
        "request_id": answer.headers["x-request-id"],
    }


def test_a_mistake_of_ours_tells_nothing_of_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(type(site.app.executions), "list", broken)
    with site.client() as client:
        answer = client.get("/executions")
    assert (answer.status_code, "the inside" in answer.text) == (500, False)
    assert "This is a mistake of the server; its log says more." in answer.text
    assert "RuntimeError: the inside" in site.notes[-1]
    assert answer.headers["x-request-id"] in site.notes[-1]


def test_a_page_is_not_sent_twice(site: Site) -> None:
    with site.client() as client:
        first = client.get("/executions")
        again = client.get("/executions", headers={"If-None-Match": first.headers["etag"]})
        head = client.head("/executions")
    assert (again.status_code, again.content) == (304, b"")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])


# -- what pages load


@pytest.mark.parametrize("name", sorted(static_files()))
def test_a_file_of_the_pages_is_kept_by_browsers_for_ever(site: Site, name: str) -> None:
    with httpx.Client(base_url=site.url, timeout=PATIENCE) as client:
        answer = client.get(f"/static/{static_version()}/{name}")
        older = client.get(f"/static/0123/{name}")
    assert (answer.status_code, older.content) == (200, answer.content)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert older.headers["cache-control"] == "public, no-cache"
    kind = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[Path(name).suffix]
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.browser
def test_the_first_page_is_light(site: Site, browser: Any, flow: str) -> None:
    for _ in range(5):
        site.run(flow)
    with opened(browser, site.url) as page:
        page.goto("/executions", wait_until="load")
        weights = page.evaluate(
            "performance.getEntries().filter((one) => 'transferSize' in one).map((one) => [one.name, one.transferSize])"
        )
    assert sum(weight for _, weight in weights) < LIGHTEST, weights
    assert len(weights) < 12
    assert all(name.startswith(site.url) for name, _ in weights)


# -- the keyboard


@pytest.mark.browser
def test_the_keyboard_walks_through_the_rows(site: Site, browser_page: Any, flow: str) -> None:
    from playwright.sync_api import expect

    ids = [site.run(flow).id for _ in range(3)][::-1]
    page = browser_page
    page.goto("/executions")
    for key, at in (("j", 0), ("j", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(page.locator(f'a[href="/executions/{ids[at]}"]').first).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Flow", exact=True)).to_be_focused()
    page.keyboard.type("j/?")
    expect(page.get_by_label("Flow", exact=True)).to_have_value("j/?")


@pytest.mark.browser
def test_the_list_of_keys_can_turn_them_off(site: Site, browser_page: Any, axe: Any, flow: str) -> None:
    from playwright.sync_api import expect

    site.run(flow)
    page = browser_page
    page.goto("/executions")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    axe(page)
    page.get_by_label("Single letters and signs are keys").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.reload()
    page.keyboard.press("?")
    page.keyboard.press("j")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("table.rows a:focus")).to_have_count(0)
    page.get_by_role("button", name="Keyboard").click()
    expect(page.get_by_label("Single letters and signs are keys")).not_to_be_checked()


@pytest.mark.browser
def test_the_way_past_the_navigation_is_the_first_stop(browser_page: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/executions")
    browser_page.keyboard.press("Tab")
    expect(browser_page.get_by_role("link", name="Skip to the content")).to_be_focused()


# -- parts that are replaced


@pytest.mark.browser
def test_a_new_execution_shows_up_by_itself_and_the_focus_stays(site: Site, browser_page: Any, flow: str) -> None:
    from playwright.sync_api import expect

    seen = site.run(flow)
    page = browser_page
    page.goto("/executions")
    link = page.locator(f'a[href="/executions/{seen.id}"]').first
    link.focus()
    fresh = site.begin(flow)
    expect(page.locator(f'a[href="/executions/{fresh.id}"]').first).to_be_visible()
    expect(page.locator(f'tr:has(a[href="/executions/{fresh.id}"]) .state')).to_have_text("success")
    expect(link).to_be_focused()


@pytest.mark.browser
def test_what_happens_before_the_stream_begins_is_not_missed(site: Site, browser_page: Any, flow: str) -> None:
    from playwright.sync_api import expect

    begun: list[str] = []

    def late(route: Any) -> None:
        begun.append(site.run(flow).id)
        route.continue_()

    browser_page.route("**/api/v1/events?*", late)
    browser_page.goto("/executions")
    with browser_page.expect_response("**/executions"):  # the page again, once the stream is there
        pass
    expect(browser_page.locator(f'a[href="/executions/{begun[0]}"]').first).to_be_visible()


@pytest.mark.browser
def test_a_page_whose_session_has_ended_leads_to_the_sign_in(own_site: Site, browser: Any) -> None:
    from playwright.sync_api import expect

    made, secret = own_site.deployment.keys.create("default", "short", "viewer")
    with opened(browser, own_site.url) as page:
        page.goto("/executions")
        page.get_by_label("API key").fill(secret)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Executions")).to_be_visible()
        own_site.deployment.keys.revoke("default", made.id)
        page.get_by_label("Flow", exact=True).fill("a")
        expect(page.get_by_label("API key")).to_be_visible()
