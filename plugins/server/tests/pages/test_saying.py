"""What a start warns of is said once, on the page of the execution, and nobody else can put words there."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import evolve

from tailrace_server.access import Caller, csrf_of
from tailrace_server.pages import saying

from .conftest import Site, open_site, opened
from .reading import Page

FLOW = """
id: warns
namespace: company.team
inputs:
  - {id: n, type: INT, defaults: 1}
checks:
  - {condition: "{{ inputs.n > 3 }}", message: "<b>few</b> „äöü“", behavior: CREATE_EXECUTION}
  - {condition: "{{ inputs.n > 2 }}", message: "very; few, indeed", behavior: CREATE_EXECUTION}
tasks:
  - {id: t, type: debug.Return, format: x}
"""
START = "/flows/company.team/warns/start"
TOLD = "<b>few</b> „äöü“very; few, indeed"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as site:
        site.app.flows.push(FLOW)
        site.app.flows.push(FLOW.replace("id: warns", "id: many").replace("few</b>", "few</b>" * 200))
        yield site


def start(client: httpx.Client, path: str = START, **fields: str) -> str:
    """The address of the execution."""
    answer = client.post(path, data={**Page(client.get(path).text).form(path), **fields})
    assert answer.status_code == 303
    return answer.headers["location"]


def told(client: httpx.Client, address: str) -> str:
    return Page(client.get(address).text).texts.get("told", "")


def test_warnings_of_a_start_are_said_once(site: Site) -> None:
    with site.client() as client:
        address = start(client)
        page = client.get(address)
        assert Page(page.text).texts["told"] == TOLD
        assert "<b>few" not in page.text
        assert told(client, address) == ""
        assert client.cookies.get(saying.SAID) is None


def test_a_start_without_warnings_says_nothing(site: Site) -> None:
    with site.client() as client:
        address = start(client, **{"input.n": "4"})
        answer = client.get(address)
        assert "told" not in Page(answer.text).texts
        assert "set-cookie" not in answer.headers


def test_only_the_page_that_is_led_to_says_it(site: Site) -> None:
    with site.client() as client:
        address = start(client)
        cookie = client.cookies[saying.SAID]
        other = start(client)
        for path in (other, "/executions", START, f"{address}/gantt"):
            with site.client() as another:
                assert told(another, path) == ""
                answer = another.get(path, headers={"Cookie": f"{saying.SAID}={cookie}"})
                assert "told" not in Page(answer.text).texts
        with site.client() as another:
            answer = another.get(address, headers={"Cookie": f"{saying.SAID}={cookie}"})
            assert Page(answer.text).texts["told"] == TOLD
        assert told(client, other) == TOLD


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_pages(site: Site) -> None:
    with site.client() as client:
        answer = client.post(START, data=Page(client.get(START).text).form(START))
    _, *attributes = answer.headers["set-cookie"].split("; ")
    assert attributes == [f"Path={answer.headers['location']}", "Max-Age=60", "HttpOnly", "SameSite=Lax"]


FORGED = ("", ".", "a.b", "é.ü", "0" * 64, f"{'0' * 64}.", f"{'0' * 64}.{urlsafe_b64encode(b'[1]').decode()}")


@pytest.mark.parametrize("forged", FORGED)
def test_words_of_others_are_not_said(site: Site, forged: str) -> None:
    with site.client() as client:
        address = start(client, **{"input.n": "4"})
        answer = client.get(address, headers={"Cookie": f"{saying.SAID}={forged}".encode("latin-1")})
    assert (answer.status_code, "told" in Page(answer.text).texts) == (200, False)


def test_a_signature_is_of_one_session_one_page_and_one_text() -> None:
    caller = Caller("a", "editor", "default", csrf_of("token"), signed_in=True)
    right = saying._sign(caller, "/executions/1", "abc")
    others = (
        saying._sign(evolve(caller, csrf=csrf_of("other")), "/executions/1", "abc"),
        saying._sign(caller, "/executions/2", "abc"), saying._sign(caller, "/executions/1", "abd"),
        saying._sign(caller, "/executions/1 abc", ""),
    )  # fmt: skip
    assert right not in others
    assert caller.csrf not in right


def test_a_program_with_a_key_is_given_no_cookie(site: Site, tmp_path: Any) -> None:
    with open_site(tmp_path / "keyed", keys=("default",)) as keyed:
        keyed.app.flows.push(FLOW)
        with keyed.client(keyed.key("editor")) as client:
            answer = client.post(START, data={"input.n": "1"})
    assert (answer.status_code, answer.headers.get("set-cookie")) == (303, None)


def test_who_signed_in_is_told_too(tmp_path: Any) -> None:
    with open_site(tmp_path / "keyed", keys=("default",)) as keyed, keyed.client() as client:
        keyed.app.flows.push(FLOW)
        client.post("/sign-in", data={"key": keyed.key("editor")})
        address = start(client)
        assert told(client, address) == TOLD


def test_more_than_a_cookie_holds_is_cut(site: Site) -> None:
    with site.client() as client:
        address = start(client, "/flows/company.team/many/start")
        assert len(client.cookies[saying.SAID]) < 3500
        assert told(client, address).startswith("<b>few</b>few</b>")
    texts = [f"{number}é" * 90 for number in range(50)]
    found = json.loads(saying._fitting(texts))
    assert len(json.dumps(found, ensure_ascii=False).encode()) <= saying.ALL
    assert found[-1] == f"… and {50 - len(found) + 1} more"
    assert found[:-1] == texts[: len(found) - 1]


@pytest.mark.browser
def test_it_stays_while_the_page_is_followed(site: Site, browser: Any, axe: Any) -> None:
    from playwright.sync_api import expect

    with opened(browser, site.url) as page:
        page.goto(START)
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#head .state")).to_have_text("success")
        expect(page.locator("#told")).to_have_text(TOLD)
        axe(page)
        page.reload()
        expect(page.locator("#head .state")).to_have_text("success")
        expect(page.locator("#told")).to_have_count(0)
