"""What somebody would try who means no good: a flow's author, a viewer, a page of somebody else, a flood of requests."""

from __future__ import annotations

import json
import os
import re
import shlex
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from core.host.product import AuditFilter
from core.host.views import OutputFilter
from tailrace_server import pages
from tailrace_server.pages import overview
from tailrace_server.pages.paged import FIELDS
from tailrace_server.pages.sign_in import LARGEST
from tailrace_server.showing import duck

from .conftest import Site, open_site
from .value_pages import Element, output_of, read, shown, stored

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def file_page(uri: str, **asked: Any) -> str:
    return f"/values/file?{urlencode({'uri': uri, **asked})}"


def remark(found: Element) -> str:
    return found.one("p", class_="remark").text


def token_of(client: httpx.Client) -> str:
    found = re.search('name="csrf-token" content="([0-9a-f]{64})"', client.get("/executions").text)
    assert found is not None
    return found[1]


# -- what flows make


@pytest.mark.parametrize("content", ['"{uri}"', '["{uri}"]', '{{"a": "{uri}"}}'])
def test_a_file_that_names_itself_is_not_followed_for_ever(site: Site, tmp_path: Path, content: str) -> None:
    uri = stored(site, tmp_path, "itself.json", b"1")
    assert stored(site, tmp_path, "itself.json", content.format(uri=uri).encode()) == uri
    with site.client() as client:
        answer = client.get(file_page(uri, at="/0" * 5000 if content[0] == "[" else "/a" * 5000))
    assert answer.status_code in (404, 422)


def test_files_that_name_each_other_are_told_to_be_too_deep(site: Site, tmp_path: Path) -> None:
    first, second = (stored(site, tmp_path, name, b"1") for name in ("first.json", "second.json"))
    stored(site, tmp_path, "first.json", f'"{second}"'.encode())
    stored(site, tmp_path, "second.json", f'"{first}"'.encode())
    with site.client() as client:
        answer = client.get(file_page(first))
    assert answer.status_code == 422
    assert "his is a value within too many others" in answer.text


def test_columns_of_the_same_name_are_told_apart_quickly(site: Site, tmp_path: Path) -> None:
    uri = stored(site, tmp_path, "same.csv", b"a," * 3000 + b"a\n" + b"1," * 3000 + b"1\n")
    begun = time.monotonic()
    heads = [one.text for one in shown(site, file_page(uri)).all("th", scope="col")][1:4]
    assert (heads, time.monotonic() - begun < 5) == (["a whole number", "a (2) whole number", "a (3) whole number"], True)


def test_a_head_of_a_hundred_thousand_columns_is_text(site: Site, tmp_path: Path) -> None:
    uri = stored(site, tmp_path, "commas.csv", b"," * 100_000 + b"\n1\n")
    begun = time.monotonic()
    found = shown(site, file_page(uri))
    assert (remark(found), time.monotonic() - begun < 5) == (
        "not shown as a table: it has more than 4 000 columns", True,
    )  # fmt: skip


def test_rows_are_taken_as_far_as_there_is_room(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duck, "ROOM", 250)
    uri = stored(site, tmp_path, "large.csv", b"n,text\n" + b"".join(b"%d,%s\n" % (n, b"x" * 100) for n in range(7)))
    numbers, address = [], file_page(uri)
    for _ in range(9):
        found = shown(site, address)
        page = [row[0] for row in found.rows()]
        assert len(page) <= 3
        numbers += page
        onward = [one.attributes["href"] for one in found.all("a", rel="next")]
        if not onward:
            break
        address = onward[0]
    assert numbers == [str(number) for number in range(7)]


@pytest.mark.parametrize("value", [
    {"K" * 3_000_000: [[[1] for _ in range(20)] for _ in range(100)]},
    [{"K" * 1_000_000: "y" * 500} for _ in range(25)],
], ids=["tree", "table"])  # fmt: skip
def test_a_name_of_a_megabyte_is_shown_once_and_cut(site: Site, value: Any) -> None:
    output = output_of(site, value)
    begun = time.monotonic()
    assert len(site.get(f"/values/{output}?name=value")) < 200_000
    assert time.monotonic() - begun < 5


def test_places_below_a_name_of_a_megabyte_are_told_shortly(site: Site) -> None:
    first, second = (
        site.app.outputs.get(output_of(site, {"K" * 1_000_000: {f"a{n}": kind for n in range(20)}})).flow_execution_id
        for kind in (1, 2)
    )
    assert len(site.get(f"/compare?first={first}&second={second}")) < 100_000


@pytest.mark.parametrize("name", ["*.csv", "[a].csv", "a?.csv", "{a,b}.csv"])
def test_a_name_like_a_pattern_means_this_file_alone(site: Site, tmp_path: Path, name: str) -> None:
    stored(site, tmp_path, "patterns/a.csv", b"n\nof another file\n")
    uri = stored(site, tmp_path, f"patterns/{name}", b"n\nits own\n")
    found = shown(site, file_page(uri))
    assert found.rows() == [["its own"]]
    assert str(site.deployment.home) not in found.text


def test_only_some_files_are_looked_into_for_the_overview(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = stored(site, tmp_path, "one.csv", b"n\n1\n")
    looked = []
    monkeypatch.setattr(overview, "shown_value", lambda services, value: looked.append(value))
    found = overview._values(site.app, {f"file{number}": uri for number in range(20)})
    assert (len(looked), len(found)) == (overview.FILES, 20)
    assert found[-1][1] is not None
    assert f'href="/values/file?uri={quote(uri, safe="")}"' in found[-1][1].markup



ESCAPED = r"$'a\U0000001b[201~\U0000000areboot\U0000000a\U00000027'"


@pytest.mark.parametrize(("name", "command"), [
    ("-o.bashrc", "outputs get --server {server} -- {id} -o.bashrc"),
    ("a\x1b[201~\nreboot\n'", f"outputs get {{id}} {ESCAPED} --server {{server}}"),
    ("$(reboot)", "outputs get {id} '$(reboot)' --server {server}"),
])  # fmt: skip
def test_what_is_copied_to_a_shell_does_nothing_else(site: Site, name: str, command: str) -> None:
    app = site.app
    execution = app.outputs.get(output_of(site, 1)).flow_execution_id
    output = app.changes.add_output(execution, "other", by="somebody", output={name: 1}).id
    page = read(site.get(f"/executions/{execution}/outputs?{urlencode({'show': output, 'name': name})}"))
    (copied,) = [one.attributes["data-copy"] for one in page.all("button") if one.text == "command"]
    assert copied.endswith(command.format(id=output, server=site.url))
    assert copied.isprintable()
    assert shlex.split(copied)


SECRET = "tell-nobody"
TELLING = """
id: telling
namespace: company.team
inputs:
  - {id: number, type: INT, required: false, defaults: "{{ secret('TOKEN') }}"}
  - {id: hidden, type: INT, required: false, defaults: "{{ secret('TOKEN') }}", dependsOn: {inputs: [text], condition: "{{ inputs.text == 'x' }}"}}
  - {id: text, type: STRING, required: false, defaults: "{{ secret('TOKEN') }}"}
  - {id: choice, type: SELECT, required: false, values: [a, b], defaults: "{{ secret('TOKEN') }}"}
"""
KEEPING = """
id: keeping
namespace: company.team
inputs:
  - {id: text, type: STRING, defaults: "{{ secret('TOKEN') }}"}
variables: {own: "{{ secret('TOKEN') }}"}
tasks:
  - {id: one, type: debug.Return, format: "Bearer {{ secret('TOKEN') }} {{ inputs.text }}"}
  - {id: say, type: log.Log, message: "{{ outputs.one.value }} {{ secret('TOKEN') }}"}
  - id: script
    type: scripts.shell.Commands
    taskRunner: {type: runner.Process}
    commands:
      - echo {{ secret('TOKEN') }}
      - |
        echo '::{"outputs":{"a":"{{ secret('TOKEN') }}"}}::'
  - {id: fail, type: execution.Fail, errorMessage: "{{ outputs.one.value }} {{ secret('TOKEN') }}"}
"""
ASKED = (
    "secret('TOKEN')", "inputs.text", "inputs.text | length", "inputs.text | upper", "inputs.text | first",
    "inputs.text == 'tell-nobody'", "outputs.one.value | slice(0, 9)", "outputs.one.value | replace({'t': 'T'})",
    "outputs", "outputs.one.value | json", "render(vars.own)", "vars", "tasks", "errorLogs()", "inputs.text ~ 'x'",
    "[inputs.text, 'tell'] | sort", "inputs.text < 'z'", "outputs.script.vars.a", "globals", "envs",
)  # fmt: skip


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[str]]]:
    """A site with a secret, and addresses of all its pages about it."""
    environment = {"SECRET_TOKEN": b64encode(SECRET.encode()).decode(), "PATH": os.environ["PATH"]}
    with open_site(tmp_path_factory.mktemp("keeping"), environment=environment) as site:
        site.app.flows.push(KEEPING)
        first, second = site.run(KEEPING), site.run(KEEPING)
        assert (first.state, first.error) == ("FAILED", "")
        which = OutputFilter(flow_execution_id=(first.id,))
        ids = [one.id for one in site.app.outputs.list(which).data]
        top = f"/executions/{first.id}"
        flow = "/flows/company.team/keeping"
        yield site, [
            *(f"{top}{tab}" for tab in ("", "/gantt", "/graph", "/logs", "/logs/file", "/outputs", "/source", "/replay")),
            *(address.format(id) for id in ids for address in ("/outputs/{}", "/values/{}", f"{top}/outputs?show={{}}")),
            *(f"{top}/evaluator?{urlencode({'expression': one, 'as_task': task})}" for one in ASKED
              for task in ("one", "fail") if SECRET not in one),
            *(f"{top}/completions?{urlencode({'text': text, 'cursor': len(text)})}"
              for text in ("inputs.", "outputs.one.", "secret('", "vars.", "outputs.one.value.")),
            "/outputs", "/outputs/export", "/outputs?search=tell-n&limit=5", flow, f"{flow}/start",
            f"{flow}/start?like={first.id}", f"{flow}/edit", f"/compare?first={first.id}&second={second.id}",
            "/executions",
        ]  # fmt: skip


def test_no_page_tells_a_secret(keeping: tuple[Site, list[str]]) -> None:
    site, addresses = keeping
    with site.client() as client:
        answers = {address: client.get(address) for address in addresses}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert [address for address, answer in answers.items() if SECRET in answer.text.replace("tell-nobody&#39;", "")] == []


def test_a_secret_can_not_be_guessed_by_comparing_it(keeping: tuple[Site, list[str]]) -> None:
    site, addresses = keeping
    top = addresses[0]
    for text in (SECRET, "another"):
        page = read(site.get(f"{top}/evaluator?{urlencode({'expression': f'inputs.text == {text!r}'})}"))
        assert page.one("div", id="evaluated").one("output").text == "false"


def test_a_form_tells_no_secret_not_even_as_what_is_wrong(keeping: tuple[Site, list[str]]) -> None:
    site, _ = keeping
    site.app.flows.push(TELLING + "tasks: [{id: one, type: debug.Return, format: x}]")
    assert SECRET not in site.get("/flows/company.team/telling/start")
    for fields in ({}, {"look": "all"}, {"input.text": "x", "look": "all"}, {"input.number": "1"}):
        assert SECRET not in site.post("/flows/company.team/telling/start", **fields).text


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
        return httpx.request(method, url, headers=given, content=b"key=x" if method == "POST" else None).status_code

    assert status("POST", f"api/v1/flow-executions/{execution}/cancel") == 403
    assert status("POST", "sign-in", **{"Sec-Fetch-Site": "same-site"}) == 403
    assert status("GET", "outputs") == 200
    assert status("GET", "static/x/page.js", **{"Sec-Fetch-Dest": "script", "Cookie": ""}) == 200
    answer = httpx.get(httpx.URL(keyed.url).copy_with(raw_path=f"{before}outputs{behind}".encode()), headers={"Cookie": cookie})
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
    assert (status, took < 5) == (422, True)
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
                assert held.acquire(timeout=10)
            assert client.get("/flows").status_code == 200
            assert not held.acquire(timeout=0.3)  # no more of them at once
        finally:
            gate.set()
        assert len([one.result() for one in asked]) == 24
