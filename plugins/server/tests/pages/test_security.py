"""What somebody would try who means no good: a viewer, a page of somebody else, a flood of requests."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from core.host.product import AuditFilter
from tailrace_server import pages
from tailrace_server.pages.paged import FIELDS
from tailrace_server.pages.sign_in import LARGEST
from tests.waiting import PATIENCE

from .conftest import Site, open_site
from .value_pages import Element, output_of, read, stored

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def token_of(client: httpx.Client) -> str:
    found = re.search('name="csrf-token" content="([0-9a-f]{64})"', client.get("/executions").text)
    assert found is not None
    return found[1]


# -- what a viewer, and somebody without a key, may not


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("keyed"), keys=("default",), host="0.0.0.0", behind_proxy=True) as site:
        yield site


def addresses_of(site: Site, method: str) -> list[str]:
    """Of every page, or of every action, with something there is."""
    output = output_of(site, {"a": 1})
    site.app.changes.tag([output], {"team": "sales"}, [], by="somebody")
    execution = site.app.outputs.get(output).flow_execution_id
    site.app.flows.push("id: values\nnamespace: company.team\ntasks:\n  - {id: first, type: debug.Return, format: '1'}\n")
    known = {"namespace": "company.team", "flow_id": "values", "output_id": output, "version": "x", "name": "style.css"}
    found = []
    for path in {path for one in pages.PAGES if method in one.http_methods for path in one.paths}:
        names = {**known, "id": execution if path.startswith("/executions") else output}
        found.append(re.sub(r"{(\w+):\w+}", lambda match, names=names: names[match[1]], path))  # type: ignore[misc]
    return sorted(found)


def test_without_a_key_no_page_is_there_and_nothing_is_done(keyed: Site) -> None:
    with keyed.client() as client:
        for address in addresses_of(keyed, "GET"):
            if not address.startswith(("/static/", "/sign-in")):
                answer = client.get(address)
                assert (address, answer.status_code, answer.headers["location"][:14]) == (address, 303, "/sign-in?next=")
        for address in addresses_of(keyed, "POST"):
            if address != "/sign-in":
                answer = client.post(address, data={"csrf": "0" * 64})
                assert (address, answer.status_code, answer.headers["location"]) == (address, 303, "/sign-in")


def test_a_viewer_changes_nothing_and_is_offered_nothing(keyed: Site) -> None:
    key, seen, done = keyed.key("viewer"), addresses_of(keyed, "GET"), addresses_of(keyed, "POST")
    with keyed.client() as client:
        client.post("/sign-in", data={"key": key}, headers={"X-Forwarded-For": "10.1.0.1"})
        token = token_of(client)
        before = keyed.app.changes.audit(AuditFilter()).data
        for address in done:
            if address not in ("/sign-in", "/sign-out"):
                answer = client.post(address, data={"csrf": token, "source": "id: x", "change": "add", "key": "k"})
                assert (address, answer.status_code) == (address, 403)
        assert keyed.app.changes.audit(AuditFilter()).data == before
        for address in (*seen, "/executions?flow_id=values"):
            answer = client.get(address)
            if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/html"):
                continue
            page = read(answer.text) if "/frame" not in address else Element("", {})
            forms = {one.attributes["action"] for one in page.all("form") if one.attributes.get("method") == "post"}
            editing = [one.attributes["href"] for one in page.all("a", class_="button")
                       if re.search("/(start|edit|new|replay|resume)([?]|$)", one.attributes["href"])]  # fmt: skip
            assert (address, forms - {"/sign-out"}, editing) == (address, set(), [])


# -- what a page of somebody else may try


def test_a_foreign_page_uses_up_nobodys_attempts_to_sign_in(keyed: Site) -> None:
    from_here = {"X-Forwarded-For": "10.1.0.2"}
    with keyed.client() as client:
        for _ in range(30):
            answer = client.post("/sign-in", data={"key": "x"}, headers={**from_here, "Sec-Fetch-Site": "cross-site"})
            assert answer.status_code == 403
        assert client.post("/sign-in", data={"key": keyed.key("viewer")}, headers=from_here).status_code == 303


SPELLINGS = [("/", ""), ("//", ""), ("/%2f", ""), ("/%2F/", "/"), ("/", "/"), ("/", "//"), ("/", "%2f")]


@pytest.mark.parametrize(("before", "behind"), SPELLINGS)
def test_no_other_spelling_of_a_path_goes_round_what_is_checked(keyed: Site, before: str, behind: str) -> None:
    address = {"X-Forwarded-For": "10.1.0.3"}
    with keyed.client() as client:
        client.post("/sign-in", data={"key": keyed.key("admin")}, headers=address)
        cookie = f"session={client.cookies['session']}"
    execution = keyed.app.outputs.get(output_of(keyed, 1)).flow_execution_id

    def status(method: str, path: str, **headers: str) -> int:
        url = httpx.URL(keyed.url).copy_with(raw_path=f"{before}{path}{behind}".encode())
        given = {"Cookie": cookie, "Accept": "text/html", **FORM, **address, **headers}
        body = b"key=x" if method == "POST" else None
        return httpx.request(method, url, headers=given, content=body, timeout=PATIENCE).status_code

    assert status("POST", f"api/v1/flow-executions/{execution}/cancel") == 403
    assert status("POST", "sign-in", **{"Sec-Fetch-Site": "same-site"}) == 403
    assert status("GET", "outputs") == 200
    assert status("GET", "static/x/page.js", **{"Sec-Fetch-Dest": "script", "Cookie": ""}) == 200
    url = httpx.URL(keyed.url).copy_with(raw_path=f"{before}outputs{behind}".encode())
    answer = httpx.get(url, headers={"Cookie": cookie}, timeout=PATIENCE)
    assert not re.search('(href|action)="//', answer.text)


@pytest.mark.parametrize("where", ["cross-site", "same-site"])
def test_without_keys_foreign_pages_may_only_lead_here(site: Site, where: str) -> None:
    with site.client() as client:
        for mode, status in (("no-cors", 403), ("cors", 403), ("navigate", 200)):
            for address in ("/outputs", "/api/v1/flows"):
                headers = {"Sec-Fetch-Site": where, "Sec-Fetch-Mode": mode}
                assert client.get(address, headers=headers).status_code == status


@pytest.mark.parametrize("kind", ["script", "style", "worker", "serviceworker", "object", "embed"])
def test_what_a_flow_made_is_never_loaded_as_a_script_or_a_style(site: Site, tmp_path: Path, kind: str) -> None:
    uri = stored(site, tmp_path, "harm.js", b"window.harmed = 1")
    with site.client() as client:
        for address in (f"/api/v1/files?{urlencode({'uri': uri})}", f"/values/{output_of(site, 'alert(1)')}/download?name=value"):
            assert client.get(address).status_code == 200
            assert client.get(address, headers={"Sec-Fetch-Dest": kind}).status_code == 403
        assert client.get("/static/x/page.js", headers={"Sec-Fetch-Dest": kind}).status_code == 200


@pytest.mark.parametrize("query", ["a\r\nX-Own: 1", "a\nb", "é€", "//evil.example", "\x00"])
def test_where_one_goes_on_is_one_address_of_this_server(site: Site, query: str) -> None:
    answer = site.post("/outputs/tags", id=output_of(site, 1), key="k", query=query)
    assert (answer.status_code, answer.headers.get("x-own")) == (303, None)
    assert re.fullmatch(r"/outputs\?[!-~]*", answer.headers["location"])


# -- floods


def sent(site: Site, path: str, body: bytes, media: str = FORM["Content-Type"]) -> tuple[int, float]:
    """The status, and how long it took."""
    with site.client() as client:
        begun = time.monotonic()
        answer = client.post(path, content=body, headers={"Content-Type": media, "X-CSRF-Token": token_of(client)})
        return answer.status_code, time.monotonic() - begun


def test_who_signs_in_sends_little(own_site: Site) -> None:
    with own_site.client() as client:
        for body in (b"key=" + b"%41" * LARGEST, b"&" * (LARGEST + 1)):
            assert client.post("/sign-in", content=body, headers=FORM).status_code == 413


def test_a_form_of_very_many_fields_is_refused_at_once(site: Site) -> None:
    status, took = sent(site, "/outputs/tags", b"a=1&" * 1_000_000)
    assert (status, took < PATIENCE) == (422, True)
    assert sent(site, "/outputs/tags", b"a=1&" * (FIELDS + 1))[0] == 422


@pytest.mark.parametrize("body", [
    b"garbage", b"--x\r\n\r\n",
    b'--x\r\nContent-Disposition: form-data; name="key"\r\nContent-Type: text/plain; charset=nope\r\n\r\na\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n\xff\r\n--x--\r\n',
    b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"; filename="f"\r\n\r\nv\r\n' % n for n in range(5000)),
])  # fmt: skip
def test_a_form_that_is_broken_is_no_mistake_of_the_server(site: Site, body: bytes) -> None:
    before = len(site.notes)
    assert sent(site, "/outputs/tags", body, "multipart/form-data; boundary=x")[0] == 422
    assert site.notes[before:] == []


@pytest.mark.parametrize("fields", [
    {"version": "9" * 5000, "output": "2"}, {"version": "٣", "output": "2"}, {"output": "9" * 5000}, {"output": "[" * 5000},
    {"output": json.dumps(1), "summary": "[" * 5000}, {"output": '{"a": ' + "[" * 900 + "]" * 900 + "}"},
])  # fmt: skip
def test_a_correction_that_makes_no_sense_is_told_so(site: Site, fields: dict[str, str]) -> None:
    answer = site.post(f"/outputs/{output_of(site, 1)}/correct", reason="x", **fields)
    assert answer.status_code in (409, 413, 422)


def test_slow_pages_hold_up_no_quick_one(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    output = output_of(own_site, 1)
    gate, held, most = threading.Event(), threading.Semaphore(0), 16 // 4
    read_value = own_site.app.outputs.value

    def wait(id: str) -> Any:
        held.release()
        gate.wait(20)
        return read_value(id)

    monkeypatch.setattr(own_site.app.outputs, "value", wait)
    with ThreadPoolExecutor(24) as pool, own_site.client() as client:
        asked = [pool.submit(own_site.get, f"/values/{output}?name=value") for _ in range(24)]
        try:
            for _ in range(most):
                assert held.acquire(timeout=PATIENCE)
            assert client.get("/flows").status_code == 200
            assert not held.acquire(timeout=0.3)  # no more of them at once
        finally:
            gate.set()
        assert len([one.result() for one in asked]) == 24
