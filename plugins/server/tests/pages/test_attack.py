"""A flow that means harm: whatever it writes, no page runs it, fetches for it, or hangs: browsers wait ten seconds here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Site, open_site, opened
from .test_every_page import WHOLE, Every

SCRIPT = "<script>window.harmed = 1</script>"
IMAGE = '"><img src=x onerror="window.harmed = 2"><svg/onload=window.harmed=3>'
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>window.harmed = 4</script><image href="http://elsewhere.test/x"/></svg>'
MARKDOWN = (
    "# Title\n[click](javascript:window.harmed=5) ![beacon](http://elsewhere.test/pixel.png) "
    '<a href="javascript:window.harmed=6">x</a> [data](data:text/html,<script>window.harmed=7</script>)'
)
TEMPLATE = "{{ 7 * 7 }} {{ caller }}"
ALL = (SCRIPT, IMAGE, SVG, MARKDOWN, TEMPLATE)
HTML = f"<!doctype html><title>x</title>{SCRIPT}<body>{IMAGE}<form action=/sign-out method=post><button>x</button></form>"
ITERATIONS = 100_000


def harmful() -> str:
    """A flow whose every text is an attack."""
    texts = json.dumps({f"text{number} {SCRIPT}": text for number, text in enumerate(ALL)})
    raw = "{{% raw %}}{}{{% endraw %}}"
    values = json.dumps({
        "markdown": raw.format(MARKDOWN), "html": raw.format(HTML), "svg": raw.format(SVG), "template": "49",
        "rows": [{SCRIPT: IMAGE, "b": 1}, {SCRIPT: MARKDOWN, "b": 2}], "deep": nested(150),
    })  # fmt: skip
    return json.dumps({
        "id": "harm", "namespace": "company.team", "description": f"{SCRIPT}{MARKDOWN}",
        "labels": {"team": IMAGE, "other": SCRIPT},
        "inputs": [
            {"id": "name", "type": "STRING", "defaults": SCRIPT, "description": MARKDOWN, "displayName": SCRIPT},
            {"id": "kind", "type": "SELECT", "values": [IMAGE, SCRIPT], "defaults": IMAGE},
        ],
        "variables": {"texts": texts},
        "tasks": [
            {"id": "say", "type": "log.Log", "message": [raw.format(text) for text in ALL]},
            {"id": "give", "type": "output.OutputValues", "description": SCRIPT, "values": json.loads(values)},
            {"id": "page", "type": "storage.Write", "content": raw.format(HTML), "extension": ".html"},
            {"id": "picture", "type": "storage.Write", "content": raw.format(SVG), "extension": ".svg"},
            {"id": "table", "type": "storage.Write", "content": f'"{SCRIPT}",b\n"<img src=x onerror=window.harmed=8>",2\n',
             "extension": ".csv"},
            {"id": "each", "type": "flow.ForEach", "values": [SCRIPT, IMAGE], "tasks": [
                {"id": "part", "type": "debug.Return", "format": "{{ taskrun.value }}"}]},
            {"id": "fail", "type": "execution.Fail", "errorMessage": f"{SCRIPT}{IMAGE}"},
        ],
    }, indent=1)  # fmt: skip


def nested(levels: int) -> Any:
    value: Any = SCRIPT
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.fixture(scope="module")
def harmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Every]:
    with open_site(tmp_path_factory.mktemp("harmed")) as site:
        app = site.app
        source = harmful()
        app.flows.push(source)
        app.flows.push(source.replace('"description": "', '"description": "also ', 1))
        first, second = site.run(source), site.run(source, {"name": IMAGE})
        assert first.state == "FAILED"
        output = app.outputs.get(f"{first.id}/give")
        app.changes.correct(output.id, output.version, by=SCRIPT, reason=IMAGE, summary={SCRIPT: IMAGE}, tags={"x": IMAGE})
        table = app.outputs.value(app.outputs.get(f"{first.id}/table").id)
        flow = {"namespace": "company.team", "id": "harm", "flow_id": "harm"}
        one = {"id": first.id, "execution_id": first.id}
        yield Every(site, {
            "executions": one, "flows": flow, "compare": {}, "sign-in": {}, "outputs": {"id": output.id},
            "values": {"output_id": output.id},
            "queries": {
                "/flows/{namespace:str}/{id:str}/diff": "?from=1&to=2",
                "/compare": f"?first={first.id}&second={second.id}", "/values/file": f"?uri={table['uri']}",
            },
        })  # fmt: skip


def see(page: Any, address: str) -> None:
    """Open it, and be sure that it was there."""
    answer = page.goto(address, wait_until="load")
    assert answer.status == 200, f"{address} gave {answer.status}: {page.inner_text('main')}"


def watched(page: Any, every: Every) -> list[str]:
    """What the page does that it must not: requests elsewhere, dialogs."""
    wrong: list[str] = []
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(every.site.url) else None)
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    return wrong


@pytest.mark.browser
@pytest.mark.parametrize("path", WHOLE)
def test_no_page_runs_what_a_flow_wrote(harmed: Every, browser: Any, path: str) -> None:
    with opened(browser, harmed.site.url) as page:
        wrong = watched(page, harmed)
        see(page, harmed.address(path))
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert (page.evaluate("window.harmed"), wrong) == (None, [])
        assert page.locator("a[href^='javascript:' i], a[href^='data:' i], [onerror], [onload]").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize("name", ["markdown", "html", "svg", "rows", "deep"])
@pytest.mark.parametrize("form", ["", "html", "markdown", "text", "json", "table", "image"])
def test_no_form_of_a_value_runs_it(harmed: Every, browser: Any, name: str, form: str) -> None:
    output = harmed.known["outputs"]["id"]
    with opened(browser, harmed.site.url) as page:
        wrong = watched(page, harmed)
        see(page, f"/values/{output}?name=values&at=/{name}{f'&as={form}' if form else ''}")
        assert (page.evaluate("window.harmed"), wrong) == (None, [])
        assert [frame.evaluate("window.harmed") for frame in page.frames[1:] if frame.url.startswith("http")] in ([], [None])


@pytest.mark.browser
@pytest.mark.parametrize("task", ["page", "picture", "table"])
def test_no_file_runs(harmed: Every, browser: Any, task: str) -> None:
    execution = harmed.known["executions"]["id"]
    uri = harmed.site.app.outputs.value(harmed.site.app.outputs.get(f"{execution}/{task}").id)["uri"]
    with opened(browser, harmed.site.url) as page:
        wrong = watched(page, harmed)
        see(page, f"/values/file?uri={uri}")
        assert (page.evaluate("window.harmed"), wrong) == (None, [])


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """An execution of 100 000 iterations: one that ran, its row copied in the records."""
    with open_site(tmp_path_factory.mktemp("endless")) as site:
        view = site.run("""
id: endless
namespace: company.team
tasks:
  - {id: each, type: flow.ForEach, values: [zero], tasks: [{id: part, type: debug.Return, format: "{{ taskrun.value }}"}]}
""")
        multiply(site.deployment.home, view.id)
        yield site, view.id


def multiply(home: Path, execution_id: str) -> None:
    """Give the one iteration so many siblings."""
    (path,) = home.glob("*.db")
    with sqlite3.connect(path) as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(task_executions)") if row[1] != "seq"]
        other = {
            "id": "substr(id, 1, 24) || printf('%012x', n)", "value": "'v' || n", "iteration": "n",
            "path_json": "json_array('v' || n)",
        }  # fmt: skip
        chosen = ", ".join(other.get(name, name) for name in names)
        database.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ITERATIONS}) "
            f"INSERT INTO task_executions ({', '.join(names)}) SELECT {chosen} FROM numbers, task_executions "
            "WHERE flow_execution_id = ? AND task_name = 'part'", (execution_id,),
        )  # fmt: skip
        database.execute(
            "INSERT OR IGNORE INTO task_output_bodies SELECT id, organization_id, '{\"value\":\"zero\"}' FROM task_executions "
            "WHERE flow_execution_id = ? AND task_name = 'part'", (execution_id,),
        )  # fmt: skip
    database.close()


@pytest.mark.browser
@pytest.mark.parametrize("tab", ["", "/gantt", "/graph", "/logs", "/outputs", "/outputs?search=v99", "/source"])
def test_no_tab_hangs_on_a_hundred_thousand_iterations(endless: tuple[Site, str], browser: Any, tab: str) -> None:
    site, execution = endless
    with opened(browser, site.url) as page:
        see(page, f"/executions/{execution}{tab}")
        assert page.locator("*").count() < 6_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str, str]]:
    """A CSV of 200 MB, and a text of 10 MB in one cell."""
    with open_site(tmp_path_factory.mktemp("large")) as site:
        view = site.run("""
id: large
namespace: company.team
tasks:
  - id: csv
    type: jdbc.duckdb.Query
    sql: SELECT i AS n, repeat('x', 80) AS text, i * 0.5 AS half FROM range(2000000) t(i)
    fetchType: STORE
    storeFormat: CSV
  - {id: cell, type: jdbc.duckdb.Query, sql: "SELECT repeat('y', 10000000) AS text", fetchType: FETCH_ONE}
""")
        assert view.state == "SUCCESS", view.error
        app = site.app
        csv = app.outputs.value(app.outputs.get(f"{view.id}/csv").id)
        assert app.files.stat(csv["uri"]).size > 190_000_000
        yield site, view.id, csv["uri"]


@pytest.mark.browser
def test_a_file_of_200_megabytes_is_looked_at_a_page_at_a_time(large: tuple[Site, str, str], browser: Any) -> None:
    site, _, uri = large
    with opened(browser, site.url) as page:
        see(page, f"/values/file?uri={uri}")
        assert 10 <= page.locator("tbody tr").count() <= 200


@pytest.mark.browser
def test_a_huge_cell_is_cut(large: tuple[Site, str, str], browser: Any) -> None:
    site, execution, _ = large
    with opened(browser, site.url) as page:
        see(page, f"/executions/{execution}/outputs")
        assert len(page.content()) < 500_000
        see(page, f"/values/{site.app.outputs.get(f'{execution}/cell').id}?name=row")
        assert len(page.content()) < 500_000
