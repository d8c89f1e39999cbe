"""`/executions/{id}/outputs`: what came out, value by value, and any of it beside the list."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.app import open_deployment
from core.host.views import TaskExecutionView
from core.settings import Settings
from plugins.server.tests.conftest import serving
from tailrace_server.pages.copying import expression, keys_along
from tailrace_server.pages.output_rows import PARTS, preview, values_of
from tests.waiting import PATIENCE

from .conftest import Site

FLOW = """
id: came-out
namespace: company.outputs
tasks:
  - id: make
    type: output.OutputValues
    values:
      rows: [{id: 1, name: "<b>"}, {id: 2, name: y}]
      my-key: {deep: [1, {x: true}]}
      it's: null
      text: "two words"
  - id: each
    type: flow.ForEach
    values: [x, "it's"]
    tasks:
      - {id: one, type: debug.Return, format: "{{ taskrun.value | upper }}{{ outputs.make.values.text }}"}
  - {id: file, type: storage.Write, content: "a,b\\n1,2\\n", extension: .csv}
  - {id: greet, type: log.Log, message: hello}
"""
FAILS = """
id: fails
namespace: company.outputs
tasks:
  - {id: bad, type: execution.Fail, errorMessage: "no <luck>"}
"""


@pytest.fixture(scope="module")
def came_out(site: Site) -> dict[str, str]:
    """Ids of the outputs of an execution by task (`one/x` below the loop), and its own."""
    view = site.run(FLOW)
    assert view.state == "SUCCESS", view.error
    tasks = site.app.executions.tasks(view.id)
    return {"id": view.id, **{"/".join((task.task_name, *task.path)): task.id for task in tasks}}


def listed(text: str) -> list[tuple[str, ...]]:
    """The cells of the list, without what marks them up."""
    table = text.partition('<table class="rows">')[2].partition("</table>")[0].partition("<tbody>")[2]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [tuple(plain(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)) for row in rows]


def plain(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def part(text: str, id: str) -> str:
    """What an element with this id holds, as text."""
    return plain(re.split(r"</section>|</form>", text.partition(f'id="{id}"')[2].partition(">")[2])[0])


def link(text: str, words: str) -> str:
    """Where the link with these words leads."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>{re.escape(words)}<', text)
    assert found, words
    return unescape(found[1])


def test_every_value_has_a_row(site: Site, came_out: dict[str, str]) -> None:
    rows = listed(site.get(f"/executions/{came_out['id']}/outputs"))
    assert rows == [
        ("greet", "", "nothing", "", "", ""),
        ("file", "", "uri", "file", "8 B", rows[1][5]),
        ("one", "it's", "value", "text", "13 B", "IT'Stwo words"),
        ("one", "x", "value", "text", "10 B", "Xtwo words"),
        ("each", "", "nothing", "", "", ""),
        ("make", "", "values.rows", "table", "2 rows", '[{id: 1, name: "<b>"}, {id: 2, name: "y"}]'),
        ("make", "", "values.my-key", "map", "1 name", "{deep: [1, {x: true}]}"),
        ("make", "", "values.it's", "null", "", "null"),
        ("make", "", "values.text", "text", "9 B", "two words"),
    ]
    assert rows[1][5].endswith(".csv")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=two+words", ["one", "one", "make"]),
        ("search=ONE", ["one", "one"]),
        ("task=file", ["file"]),
        ("task=one&search=it%27s", ["one"]),
        ("search=&task=&show=&name=&at=", ["greet", "file", "one", "one", "each", "make"]),
        ("search=nothing+like+that", []),
    ],
)
def test_the_list_is_found_in_by_the_server(site: Site, came_out: dict[str, str], query: str, names: list[str]) -> None:
    text = site.get(f"/executions/{came_out['id']}/outputs?{query}")
    found = [row[0] for row in listed(text)]
    firsts = [name for place, name in enumerate(found) if name != "make" or "make" not in found[:place]]
    assert firsts == names
    assert names or "Nothing that came out fits." in text


def test_one_link_leads_from_each_row_to_its_value(site: Site, came_out: dict[str, str]) -> None:
    text = site.get(f"/executions/{came_out['id']}/outputs?search=two")
    shown = site.get(link(text, "values.rows"))
    assert part(shown, "value").startswith("make values.rows")
    assert "&lt;b&gt;" in shown
    assert '<b>"' not in shown
    assert shown.count('aria-selected="true"') == 1
    assert [row[0] for row in listed(shown)] == ["one", "one", "make", "make", "make", "make"]  # the filter has stayed
    address = parse_qs(urlsplit(link(text, "values.my-key")).query)
    assert address == {"search": ["two"], "show": [came_out["make"]], "name": ["values"], "at": ["/my-key"]}


def copies(text: str) -> dict[str, str]:
    found = re.findall(r'data-copy="([^"]*)"[^>]*>(\w+)<', text)
    return {what: unescape(copied) for copied, what in found}


def test_a_value_can_be_copied_as_expression_request_and_command(site: Site, came_out: dict[str, str]) -> None:
    base, make = f"/executions/{came_out['id']}/outputs", came_out["make"]
    assert copies(site.get(f"{base}?show={make}&name=values&at=/my-key/deep/1")) == {
        "expression": "{{ outputs.make.values['my-key'].deep[1] }}",
        "curl": f"""curl -s {site.url}/api/v1/task-outputs/{make}/output | jq '.["values"]["my-key"]["deep"][1]'""",
        "command": f"python -m core outputs get {make} values.my-key.deep.1 --server {site.url}",
    }
    below = copies(site.get(f"{base}?show={came_out['one/it' + chr(39) + 's']}&name=value"))
    assert below["expression"] == "{{ outputs.one['it\\'s'].value }}"
    file = copies(site.get(f"{base}?show={came_out['file']}&name=uri"))
    assert file["curl"].startswith(f"curl -s '{site.url}/api/v1/files?uri=")


def test_what_is_copied_gives_that_value(site: Site, came_out: dict[str, str]) -> None:
    text = site.get(f"/executions/{came_out['id']}/outputs?show={came_out['make']}&name=values&at=/my-key/deep/1")
    assert site.app.evaluator.evaluate(came_out["id"], copies(text)["expression"]).value == {"x": True}
    below = f"/executions/{came_out['id']}/outputs?show={came_out['one/it' + chr(39) + 's']}&name=value"
    assert site.app.evaluator.evaluate(came_out["id"], copies(site.get(below))["expression"]).text == "IT'Stwo words"


def test_a_request_names_the_variable_of_the_key_where_keys_exist(own_site: Site) -> None:
    view = own_site.run("id: a\nnamespace: b\ntasks: [{id: t, type: debug.Return, format: x}]")
    output = own_site.app.executions.tasks(view.id)[0].id
    _, secret = own_site.deployment.keys.create("default", "mine", "viewer")
    with own_site.client(secret) as client:
        text = client.get(f"/executions/{view.id}/outputs?show={output}&name=value").text
    assert copies(text)["curl"].startswith('curl -s -H "Authorization: Bearer $TAILRACE_API_KEY" http')
    assert secret not in text


def test_who_read_a_value_and_what_it_was_made_from_are_links(site: Site, came_out: dict[str, str]) -> None:
    base = f"/executions/{came_out['id']}/outputs"
    made = site.get(f"{base}?show={came_out['make']}&name=values")
    assert "Read by one x , one it's outputs.make.values" in part(made, "value")
    assert link(made, "one x") == f"{base}?show={came_out['one/x']}"
    read = site.get(f"{base}?show={came_out['one/x']}&name=value")
    assert "Made from outputs.make.values Read by nobody" in part(read, "value")
    assert f'href="{base}?show={came_out["make"]}"' in read


def test_a_failed_task_tells_why_in_its_row(site: Site) -> None:
    view = site.run(FAILS)
    assert listed(site.get(f"/executions/{view.id}/outputs")) == [("bad failed", "nothing", "", "", "no <luck>")]


def test_an_output_of_another_execution_is_not_shown_here(site: Site, came_out: dict[str, str]) -> None:
    other = site.run(FAILS)
    with site.client() as client:
        answer = client.get(f"/executions/{other.id}/outputs?show={came_out['make']}")
    assert answer.status_code == 404
    assert "There is no task output" in answer.text


def test_pages_of_the_list_lead_on_and_back(site: Site) -> None:
    view = site.run(
        "id: many\nnamespace: company.outputs\ntasks:\n  - id: each\n    type: flow.ForEach\n"
        '    values: "{{ range(1, 120) }}"\n    concurrencyLimit: 0\n'
        '    tasks: [{id: one, type: debug.Return, format: "{{ taskrun.value }}"}]\n'
    )
    address: str | None = f"/executions/{view.id}/outputs?task=one"
    seen: list[str] = []
    pages = 0
    while address:
        text = site.get(address)
        pages += 1
        seen += [row[1] for row in listed(text)]
        onward = re.search(r'<a href="([^"]*)" rel="next"', text)
        address = unescape(onward[1]) if onward else None
    assert (pages, len(seen), set(seen)) == (3, 120, {str(number) for number in range(1, 121)})


def test_the_list_can_be_read_in_the_order_in_which_things_came_out(site: Site, came_out: dict[str, str]) -> None:
    address = f"/executions/{came_out['id']}/outputs"
    text = site.get(f"{address}?order=oldest&search=o")
    assert [row[0] for row in listed(text)] == [row[0] for row in listed(site.get(f"{address}?search=o"))][::-1]
    assert "order=oldest" in link(text, "value")
    assert '<option value="oldest" selected>oldest first</option>' in text
    assert "order=" not in link(site.get(address), "value")


def test_a_preview_looks_at_no_more_than_it_shows() -> None:
    begun = time.monotonic()
    assert len(preview([{"a": "x" * 10_000_000}] * 1_000_000)) < 200
    assert str(preview({"a": {"b": {"c": {"d": 1}}}})) == "{a: {b: {c: {d: …}}}}"
    assert (
        str(preview({"n": None, "t": True, "f": 1.5, "s": "<i>"}))
        == "{n: null, t: true, f: 1.5, s: &#34;&lt;i&gt;&#34;}"
    )
    assert time.monotonic() - begun < 20


def test_an_output_of_very_many_names_has_rows_for_the_first_of_them() -> None:
    assert len(list(values_of({f"n{number}": number for number in range(100_000)}))) == PARTS


@pytest.mark.parametrize(
    ("value", "keys", "found"),
    [
        ({"a": [{"0": 1}]}, ["a", "0", "0"], ["a", 0, "0"]),
        ({"a": "text"}, ["a", "0"], ["a"]),
        ({"a": 1}, ["b"], []),
    ],
)
def test_steps_into_a_value_are_numbers_only_in_lists(value: Any, keys: list[str], found: list[Any]) -> None:
    assert keys_along(value, keys) == found


def test_names_that_are_operators_stand_in_brackets(site: Site, came_out: dict[str, str]) -> None:
    view: TaskExecutionView = site.app.outputs.get(came_out["make"])
    assert expression(view, ["and", "ok", "a b", 3]) == "{{ outputs.make['and'].ok['a b'][3] }}"


SECRET = "open-sesame-12"
SECRETIVE = """
id: secretive
namespace: company.outputs
inputs:
  - {id: token, type: STRING, defaults: "{{ secret('TOKEN') }}"}
tasks:
  - {id: a, type: debug.Return, format: "Bearer {{ secret('TOKEN') }}"}
  - {id: b, type: output.OutputValues, values: {t: "{{ inputs.token }}", m: {x: ["{{ secret('TOKEN') }}"]}}}
"""


@pytest.fixture(scope="module")
def secretive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str, dict[str, str]]]:
    """A client, the address of an execution that had a secret, and the ids of its outputs by task."""
    environment = {"SECRET_TOKEN": b64encode(SECRET.encode()).decode()}
    settings = Settings(home=tmp_path_factory.mktemp("secretive"), environment=environment, runner="process")
    with open_deployment(settings) as deployment, serving(deployment) as api:
        app = deployment.services("default")
        view = app.run(SECRETIVE, {})
        assert view.state == "SUCCESS", view.error
        outputs = {task.task_name: task.id for task in app.executions.tasks(view.id)}
        url, headers = api.url.removesuffix("/api/v1"), {"Accept": "text/html"}
        with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE) as client:
            yield client, f"/executions/{view.id}", outputs


@pytest.mark.parametrize(
    ("query", "hidden"),
    [
        ("outputs", True), ("outputs?show={a}&name=value", True), ("outputs?show={b}&name=values&at=/m/x", True),
        ("evaluator?expression=inputs.token", True), ("evaluator?expression=outputs.a.value", True),
        ("evaluator?expression=outputs", True), ("evaluator?expression=outputs.b.values.m", True),
        ("evaluator?expression=inputs.token%20~%201", True), ("evaluator?expression=printContext()", True),
        ("evaluator?expression=secret('TOKEN')", False), ("evaluator?expression=inputs.token|base64encode", False),
        ("evaluator?expression=inputs.token|upper", False),
        ("completions?text=inputs.token.&cursor=13", False), ("completions?text=secret('T&cursor=9", False),
        ("completions?text=outputs.b.values.m.x[0].&cursor=24", False),
    ],
)  # fmt: skip
def test_secrets_are_never_shown(secretive: tuple[httpx.Client, str, dict[str, str]], query: str, hidden: bool) -> None:
    client, address, outputs = secretive
    answer = client.get(f"{address}/{query.format(**outputs)}")
    assert answer.status_code == 200
    text = unescape(answer.text)
    for told in (SECRET, SECRET.upper(), b64encode(SECRET.encode()).decode()):
        assert told not in text
    assert "••••" in text or not hidden
