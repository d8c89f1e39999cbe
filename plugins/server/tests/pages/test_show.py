"""What people do from end to end, in a real browser: run a flow and look at what came out, watch one, and stop it."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from core.cli.demo_server import DATA, product_api
from core.host.views import ExecutionView

from .conftest import Site, open_site, opened
from .running import until

pytestmark = pytest.mark.browser
GATE = """
id: {id}
namespace: company.team
tasks:
  - {{id: before, type: debug.Return, format: prepared}}
  - id: work
    type: scripts.shell.Commands
    taskRunner: {{type: runner.Process}}
    commands:
      - 'echo $$ > "{folder}/{id}.pid"; echo "it began"; until [ -e "{folder}/{id}.go" ]; do sleep 0.05; done; echo "it went on"'
  - id: approve
    type: flow.Pause
    onResume: [{{id: reason, type: STRING}}, {{id: amount, type: INT, defaults: 5}}]
  - {{id: after, type: debug.Return, format: "{{{{ outputs.approve.onResume.reason }}}} {{{{ outputs.approve.onResume.amount }}}}"}}
"""
ROWS = [{"n": number, "square": number * number} for number in range(1, 121)]
READ = """
id: read_by_links
namespace: company.team
inputs:
  - {id: name, type: STRING, defaults: Ada}
tasks:
  - {id: greet, type: debug.Return, format: "Hello {{ inputs.name }}"}
  - {id: give, type: output.OutputValues, values: {rows: "ROWS"}}
  - {id: say, type: log.Log, message: "Careful, {{ inputs.name }}", level: WARN}
  - {id: also, type: log.Log, message: nothing}
outputs:
  - {id: greeting, type: STRING, value: "{{ outputs.greet.value }}"}
""".replace('"ROWS"', json.dumps(ROWS))
UNTOUCHED = "window.untouched = true"
"""Stays true as long as a page is not loaded anew."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One whose scripts find what this machine has, an index of packages above all."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
    with open_site(tmp_path_factory.mktemp("site"), environment=kept) as site:
        yield site


@pytest.fixture(scope="module")
def products() -> Iterator[str]:
    """The URL of the demo's products."""
    with product_api() as url:
        yield url


@pytest.fixture
def index(tmp_path: Path) -> None:
    """The package index answers; else the test is skipped."""
    uv = shutil.which("uv")
    tool = (uv, "pip") if uv else (sys.executable, "-m", "pip")
    words = (*tool, "install", "--dry-run", "--target", str(tmp_path / "nothing"), "polars")
    asked = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if asked.returncode:
        pytest.skip("no package index: " + asked.stderr.strip().splitlines()[-1])


def averages() -> dict[str, float]:
    """Brand → average price, the dearest first; products without a brand are a group too, as in SQL."""
    prices: dict[str, list[float]] = {}
    for product in json.loads((DATA / "products.json").read_text("utf-8"))["products"]:
        prices.setdefault(product.get("brand") or "null", []).append(product["price"])
    found = {brand: round(mean(of_brand), 2) for brand, of_brand in prices.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def rows_of(table: Any) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]


@pytest.mark.usefixtures("index")
def test_the_tutorial_s_flow_from_its_form_to_its_table(site: Site, browser_page: Any, products: str) -> None:
    from playwright.sync_api import expect

    page, wanted = browser_page, [[brand, str(price)] for brand, price in averages().items()]
    site.app.flows.push((DATA / "getting_started.yaml").read_text("utf-8"))
    page.goto("/flows")
    page.get_by_role("link", name="Start getting_started").click()
    expect(page.get_by_label("api_url")).to_have_value("https://dummyjson.com/products")
    page.get_by_label("api_url").fill(products)
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(re.compile("/executions/[0-9a-f-]{36}$"))
    page.evaluate(UNTOUCHED)
    expect(page.locator("#head .state")).to_have_text("success", timeout=120_000)  # it installs a package
    expect(page.locator("#overview .state")).to_have_text(["success"] * 3)
    assert page.evaluate("window.untouched")

    page.get_by_label("The execution").get_by_role("link", name="Outputs").click()
    page.get_by_role("row", name=re.compile("^sqlQuery uri file")).get_by_role("link").click()
    table = page.locator("#value table")
    expect(table.locator("tbody tr")).to_have_count(len(wanted))
    assert rows_of(table) == wanted
    assert table.locator("thead th .kind").all_inner_texts() == ["text", "number"]
    table.get_by_role("link", name="brand").click()
    expect(table.locator("th[aria-sort=ascending]")).to_contain_text("brand")
    by_brand = [row for row in sorted(wanted) if row[0] != "null"]
    assert rows_of(table) == [*by_brand, *(row for row in wanted if row[0] == "null")]

    for expression, gives, type in (
        ("outputs.sqlQuery.size", "8", "whole number"),
        ("outputs.api.body | jq('.products[0].title') | first", "Walnut Desk Lamp", "text"),
        ("outputs.python.exitCode == 0", "true", "boolean"),
    ):
        page.locator("#expression").fill(expression)
        expect(page.locator("#evaluated output")).to_have_text(gives)
        expect(page.locator("#evaluated .chip")).to_have_text(type)


# -- while it runs


@pytest.fixture
def gate(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[ExecutionView, Path]]:
    """An execution whose script waits, and the file that lets it go on."""
    name = request.node.name.replace("_", "-")[:60]
    view = site.begin(GATE.format(id=name, folder=tmp_path))
    until(site, view, "RUNNING")
    yield view, tmp_path / f"{name}.go"
    if site.app.executions.get(view.id).ended_at is None:
        site.app.executions.kill(view.id)
        until(site, view, "KILLED")


def test_lists_and_pictures_follow_a_script(site: Site, browser: Any, gate: tuple[ExecutionView, Path]) -> None:
    from playwright.sync_api import expect

    view, go = gate
    changes = {
        "/executions?flow_id=" + view.flow_id: ("#list tbody tr .state", "running", "paused"),
        f"/executions/{view.id}/gantt": ("#gantt tbody tr:nth-child(2) .state", "running", "success"),
        f"/executions/{view.id}/graph": ("main g.task.running title, main g.task.paused title",
                                         "work, scripts.shell.Commands: running", "approve, flow.Pause: paused"),
        f"/executions/{view.id}/outputs?task=work": ("#list tbody tr:first-child td:nth-child(2)", "nothing", "vars"),
    }  # fmt: skip
    with ExitStack() as closing:
        pages = {address: closing.enter_context(opened(browser, site.url)) for address in changes}
        for address, page in pages.items():
            place, before, _ = changes[address]
            page.goto(address)
            expect(page.locator(place)).to_have_text(before)
            page.evaluate(UNTOUCHED)
        go.touch()
        for address, page in pages.items():
            place, _, after = changes[address]
            expect(page.locator(place)).to_have_text(after)
            assert page.evaluate("window.untouched"), address


def test_lines_of_a_log_tell_the_reader_s_own_time(site: Site, browser: Any, gate: tuple[ExecutionView, Path]) -> None:
    """Those that were there, and those that came: nine hours further on in Tokyo."""
    from playwright.sync_api import expect

    view, go = gate
    with opened(browser, site.url, timezone_id="Asia/Tokyo") as page:
        page.goto(f"/executions/{view.id}/logs?task_name=work")
        expect(page.locator("#log .line")).to_have_count(1)
        go.touch()
        times = page.locator("#log .line .at")
        expect(times).to_have_count(2)
        shown = times.all_inner_texts()
    lines = site.app.executions.logs(view.id, task_name="work")
    there = timezone(timedelta(hours=9))
    wanted = [datetime.fromtimestamp(line.at / 1_000_000, there) for line in lines]
    assert shown == [at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}" for at in wanted]


def test_a_script_is_killed_from_its_page(site: Site, browser: Any, gate: tuple[ExecutionView, Path]) -> None:
    from playwright.sync_api import expect

    view, go = gate
    with opened(browser, site.url) as page, opened(browser, site.url) as other:
        other.goto(f"/executions/{view.id}/logs?task_name=work")
        expect(other.locator("#log .message")).to_have_text("it began")
        other.evaluate(UNTOUCHED)
        script = int(go.with_suffix(".pid").read_text())
        os.kill(script, 0)
        page.goto(f"/executions/{view.id}")
        page.get_by_role("button", name="Kill").click()
        for one in (page, other):
            expect(one.locator("#head .state")).to_have_text("killed")
            expect(one.get_by_role("button", name="Kill")).to_have_count(0)
            expect(one.get_by_role("button", name="Replay")).to_be_visible()
        expect(page.locator("#overview tbody .state")).to_have_text(["success", "killed"])
        assert other.evaluate("window.untouched")
    with pytest.raises(ProcessLookupError):
        os.kill(script, 0)


def test_an_execution_is_held_and_let_go_on_from_its_page(
    site: Site, browser_page: Any, gate: tuple[ExecutionView, Path]
) -> None:
    from playwright.sync_api import expect

    page, (view, go) = browser_page, gate
    page.goto(f"/executions/{view.id}")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    page.evaluate(UNTOUCHED)
    go.touch()
    expect(page.locator("#head .state")).to_have_text("paused")
    expect(page.locator("#overview tbody .state")).to_have_text(["success", "success", "queued"])
    page.get_by_role("link", name="Resume…").click()
    expect(page.get_by_text("Nothing new begins until it is resumed.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()

    page.get_by_role("row", name=re.compile("^approve flow.Pause paused")).wait_for()
    page.get_by_role("link", name="Resume…").click()
    page.get_by_label("reason").fill("fits")
    page.get_by_label("amount").fill("7")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#head .state")).to_have_text("success")
    page.get_by_label("The execution").get_by_role("link", name="Outputs").click()
    expect(page.get_by_role("row", name=re.compile("^after value"))).to_contain_text("fits 7")


# -- what was run


@pytest.fixture(scope="module")
def runs(site: Site) -> tuple[ExecutionView, ExecutionView]:
    """Two of one flow, the older one first."""
    return site.run(READ), site.run(READ, {"name": "Bo"})


def test_values_logs_and_lists_are_taken_away(
    browser_page: Any, runs: tuple[ExecutionView, ExecutionView], tmp_path: Path
) -> None:
    page, (view, _) = browser_page, runs

    def saved(link: Any) -> tuple[str, str]:
        with page.expect_download() as waiting:
            link.click()
        waiting.value.save_as(tmp_path / "file")
        return waiting.value.suggested_filename, (tmp_path / "file").read_text("utf-8")

    page.goto(f"/executions/{view.id}/outputs?search=rows")
    page.get_by_role("link", name="values.rows").click()
    name, text = saved(page.locator("#value").get_by_role("link", name="Download"))
    assert (name, json.loads(text)) == ("rows.json", ROWS)
    page.goto(f"/executions/{view.id}/logs?level=WARN")
    name, text = saved(page.get_by_role("link", name="Download"))
    assert name == f"{view.id}.log"
    assert [line.partition(" ")[2] for line in text.splitlines()] == ["WARN  say Careful, Ada"]
    page.goto("/outputs?flow_id=read_by_links&task_name=greet")
    name, text = saved(page.get_by_role("link", name="csv"))
    assert name.endswith(".csv")
    assert [row["task_name"] for row in csv.DictReader(text.splitlines())] == ["greet", "greet"]


def test_pages_out_of_the_ordinary_are_for_everybody_too(
    browser_page: Any, axe: Any, runs: tuple[ExecutionView, ExecutionView]
) -> None:
    """Those that are not found, empty, a choice, or tell of a mistake."""
    one = f"/executions/{runs[0].id}"
    for address in (
        "/nothing", "/executions/nothing", "/executions?flow_id=nothing", "/outputs?task_name=nothing",
        "/flows?find=nothing", "/compare", f"/compare?first={runs[0].id}", f"{one}/outputs?search=nothing",
        f"{one}/evaluator?expression=outputs.give.values", f"{one}/evaluator?expression=outputs.gave",
        f"{one}/logs?find=nothing", "/executions?state=NONE",
    ):  # fmt: skip
        browser_page.goto(address)
        axe(browser_page)


# -- without scripts


def test_outputs_and_values_are_read_by_links_alone(
    site: Site, browser: Any, runs: tuple[ExecutionView, ExecutionView]
) -> None:
    from playwright.sync_api import expect

    with opened(browser, site.url, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("combobox", name="Flow").fill("read_by_links")
        page.get_by_role("button", name="Filter").click()
        page.get_by_role("link", name=runs[1].id[-8:]).click()
        expect(page.locator("#head .state")).to_have_text("success")
        expect(page.locator("main")).to_contain_text("Hello Bo")

        page.get_by_label("The execution").get_by_role("link", name="Outputs").click()
        page.get_by_role("searchbox", name="Find").fill("rows")
        page.get_by_role("button", name="Find").click()
        page.get_by_role("link", name="values.rows").click()
        value = page.locator("#value")
        first = value.locator("tbody tr").first
        expect(value.locator("tbody tr")).to_have_count(50)
        value.get_by_role("link", name="n", exact=True).click()
        value.get_by_role("link", name="n ↑").click()
        expect(first).to_contain_text("120")
        value.get_by_role("link", name="Further →").first.click()
        expect(first).to_contain_text("70")
        value.get_by_role("link", name="Sum up the columns").click()
        expect(value.locator("dl.summed").first).to_contain_text("120")
        value.get_by_role("link", name="Open by itself").click()
        expect(first).to_contain_text("70")
        value.get_by_role("link", name="JSON", exact=True).click()
        expect(value.locator("summary").first).to_be_visible()

        page.get_by_role("link", name="give").click()
        page.get_by_role("textbox", name="Expression").fill("outputs.give.values.rows | length")
        page.get_by_role("button", name="Evaluate").click()
        expect(page.locator("#evaluated output")).to_have_text("120")


def test_logs_sources_and_differences_are_read_by_links_alone_and_a_flow_is_started(
    site: Site, browser: Any, runs: tuple[ExecutionView, ExecutionView]
) -> None:
    from playwright.sync_api import expect

    with opened(browser, site.url, java_script_enabled=False) as page:
        page.goto(f"/executions/{runs[1].id}")
        tabs = page.get_by_label("The execution")
        tabs.get_by_role("link", name="Logs").click()
        page.get_by_label("Level").select_option("WARN")
        page.get_by_role("button", name="Find").click()
        expect(page.locator("#log .message")).to_have_text(["Careful, Bo"])
        tabs.get_by_role("link", name="Source").click()
        expect(page.locator("#L2")).to_have_text("id: read_by_links")
        tabs.get_by_role("link", name="Compare…").click()
        page.get_by_role("link", name=runs[0].id[-8:]).click()
        expect(page.get_by_role("row", name=re.compile("^greet value changed Hello Ada Hello Bo"))).to_be_visible()

        page.get_by_role("link", name="Flows").click()
        page.get_by_role("link", name="Start read_by_links").click()
        page.get_by_label("name").fill("Cy")
        page.get_by_role("button", name="Start").click()
        expect(page).to_have_url(re.compile("/executions/[0-9a-f-]{36}$"))
        until(site, site.app.executions.get(page.url.rpartition("/")[2]), "SUCCESS")
        page.reload()
        expect(page.locator("#head .state")).to_have_text("success")
        expect(page.locator("main")).to_contain_text("Hello Cy")
