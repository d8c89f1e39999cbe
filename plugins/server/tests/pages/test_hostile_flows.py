"""What a hostile author of flows would try: files and names made to hang or to mislead, secrets drawn out of pages."""

from __future__ import annotations

import os
import shlex
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from core.host.views import OutputFilter
from tailrace_server.pages import overview
from tailrace_server.showing import duck

from .conftest import Site, open_site
from .value_pages import Element, output_of, read, shown, stored


def file_page(uri: str, **asked: Any) -> str:
    return f"/values/file?{urlencode({'uri': uri, **asked})}"


def remark(found: Element) -> str:
    return found.one("p", class_="remark").text


# -- files and names


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
    assert (heads, time.monotonic() - begun < 20) == (["a whole number", "a (2) whole number", "a (3) whole number"], True)


def test_a_head_of_a_hundred_thousand_columns_is_text(site: Site, tmp_path: Path) -> None:
    uri = stored(site, tmp_path, "commas.csv", b"," * 100_000 + b"\n1\n")
    begun = time.monotonic()
    found = shown(site, file_page(uri))
    assert (remark(found), time.monotonic() - begun < 20) == (
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
    assert time.monotonic() - begun < 20


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


# -- secrets

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
