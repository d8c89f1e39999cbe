"""What somebody sees who comes for the first time: what to do where nothing is, names of any length, any width."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tailrace_server.people import ago, scalar

from .conftest import Site, open_site, opened
from .running import text_of

NAME, WORD = "a_very_long_name_" * 5, "w" * 250
LONG = f"""
id: {NAME}
namespace: company.{"part." * 12}{"x" * 60}
description: "Grüße {WORD}"
labels: {{beschreibung: "日本語 {WORD}"}}
inputs:
  - {{id: {"i" * 80}, type: STRING, defaults: "{WORD}"}}
tasks:
  - {{id: {"t" * 100}, type: debug.Return, format: "{WORD}"}}
  - id: each
    type: flow.ForEach
    values: ["{WORD}", "ü"]
    tasks:
      - {{id: in, type: output.OutputValues, values: {{"{"n" * 90}": [{{"größe": 1, "{"k" * 90}": "{WORD}"}}]}}}}
  - {{id: bad, type: execution.Fail, errorMessage: "{WORD}"}}
"""
TWO_LINES = """
id: two
namespace: company.team
tasks:
  - {id: fine, type: debug.Return, format: "{{ true }}"}
  - {id: truth, type: flow.If, condition: "{{ true }}", then: [{id: then, type: log.Log, message: so}]}
  - {id: bad, type: execution.Fail, errorMessage: "no luck\\nat all\\n    ^"}
"""


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[str]]]:
    """A site, and the addresses of pages where names and values are very long."""
    with open_site(tmp_path_factory.mktemp("long")) as site:
        view = site.run(LONG)
        other = site.run(LONG)
        output = site.app.outputs.get(f"{view.id}/{'t' * 100}").id
        flow, one = f"/flows/{view.namespace}/{view.flow_id}", f"/executions/{view.id}"
        tabs = ("", "/gantt", "/graph", "/logs", f"/outputs?show={output}", "/source", "/evaluator", "/replay")
        yield site, [
            *(one + tab for tab in tabs), "/executions", "/outputs", "/outputs/charts", f"/outputs/{output}",
            f"/values/{output}", "/flows", flow, f"{flow}/start", f"{flow}/edit",
            f"/compare?first={view.id}&second={other.id}",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/executions", "Nothing ran yet. What runs shows up here by itself."),
        ("/outputs", "Nothing came out yet. Whatever a task gives shows up here by itself."),
    ],
)
def test_where_nothing_is_it_is_said_what_to_do(tmp_path: Path, path: str, said: str) -> None:
    with open_site(tmp_path / "home") as site:
        text = site.get(path)
        assert said in text_of(text)
        assert {'href="/flows"', 'href="/flows/new"'} <= set(re.findall(r'href="[^"]*"', text.partition(said)[2]))
        assert said not in text_of(site.get(f"{path}?flow_id=other"))
        with site.client(site.key("viewer")) as client:
            told = client.get(path).text
            assert (said in text_of(told), "Start a flow" in told) == (True, False)


def test_behind_the_last_row_nobody_is_told_to_begin(tmp_path: Path) -> None:
    with open_site(tmp_path / "home") as site:
        view = site.run(TWO_LINES)
        output = site.app.outputs.get(f"{view.id}/fine").id
        assert "No execution fits." in text_of(site.get(f"/executions?starting_after={view.id}"))
        assert "No task output fits." in text_of(site.get(f"/outputs?starting_after={output}"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "just now"), (59.9, "just now"), (60, "1 min ago"), (89 * 60, "89 min ago"), (90 * 60, "1 h ago"),
     (47.9 * 3600, "47 h ago"), (48 * 3600, "2 d ago")],
)  # fmt: skip
def test_times_are_told_from_now_on_too(seconds: float, words: str) -> None:
    assert ago(seconds) == words


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (None, "null"), (1.5, "1.5"), ("True", "True"), (["ä"], '["ä"]')]
)
def test_values_of_summaries_are_written_as_in_flows(value: Any, text: str) -> None:
    assert scalar(value) == text


def test_an_execution_is_told_apart_and_says_one_line_of_its_error_at_the_source(site: Site) -> None:
    view = site.run(TWO_LINES)
    page = site.get(f"/executions/{view.id}/source")
    assert f"<title>two {view.id[-8:]} · Source ·" in page
    assert '<span class="said">no luck…</span>' in page
    assert "evaluationResult <b>true</b>" in site.get("/outputs?task_name=truth")


@pytest.mark.parametrize(
    ("path", "place"), [("/compare", "Executions"), ("/outputs/charts", "Outputs"), ("/flows/new", "Flows")]
)
def test_the_place_is_marked_at_the_top(site: Site, path: str, place: str) -> None:
    assert re.findall(r'<a href="[^"]*" aria-current="page">(\w+)</a>', site.get(path))[:1] == [place]


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_no_name_makes_a_page_wider_than_the_window(
    long_names: tuple[Site, list[str]], browser: Any, width: int
) -> None:
    site, addresses = long_names
    with opened(browser, site.url) as page:
        page.set_viewport_size({"width": width, "height": 844})
        wide = []
        for address in addresses:
            page.goto(address)
            reach = page.evaluate("document.documentElement.scrollWidth")
            if reach > width:
                wide.append((address, reach))
    assert wide == []


@pytest.mark.browser
def test_what_needs_scripts_is_not_offered_without(long_names: tuple[Site, list[str]], browser: Any) -> None:
    site, addresses = long_names
    with opened(browser, site.url, java_script_enabled=False) as page:
        for address in addresses:
            page.goto(address)
            assert [one for one in page.locator(".scripted").all() if one.is_visible()] == [], address


@pytest.mark.browser
def test_all_tabs_are_in_sight_on_a_phone(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    view = site.run(TWO_LINES)
    browser_page.set_viewport_size({"width": 360, "height": 740})
    browser_page.goto(f"/executions/{view.id}/outputs")
    for name in ("Overview", "Outputs", "Source", "Compare…"):
        tab = browser_page.get_by_role("navigation", name="The execution").get_by_role("link", name=name)
        expect(tab).to_be_in_viewport(ratio=1)
    expect(browser_page.locator("#list td.preview").first).to_be_in_viewport()


@pytest.mark.browser
def test_a_small_graph_stays_small(site: Site, browser_page: Any) -> None:
    browser_page.goto("/flows/new")
    graph = browser_page.locator("svg.graph")
    assert graph.bounding_box()["width"] == pytest.approx(float(graph.get_attribute("width")), abs=1)


@pytest.mark.browser
def test_the_id_is_copied_and_time_goes_on(site: Site, browser: Any) -> None:
    from playwright.sync_api import expect

    view = site.run(TWO_LINES)
    with opened(browser, site.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.clock.install()
        page.goto(f"/executions/{view.id}")
        button = page.get_by_role("button", name="Copy id")
        button.click()
        expect(page.locator("#copy-id")).to_have_text("copied")
        assert page.evaluate("navigator.clipboard.readText()") == view.id
        page.clock.fast_forward(10 * 60 * 1000)
        expect(page.locator("#head .ago")).to_have_text(re.compile("1[01] min ago"))
        expect(button).to_be_visible()


@pytest.mark.browser
def test_what_was_wrong_is_told_no_longer_once_it_is_right(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    site.run(TWO_LINES)
    browser_page.goto("/outputs")
    field, said = browser_page.get_by_label("Summary"), browser_page.locator("#said")
    field.fill("value>many")
    expect(said).to_contain_text("only numbers have an order here")
    field.fill("value>1")
    expect(said).to_be_empty()


@pytest.mark.browser
def test_a_list_that_says_the_same_stays_as_time_goes_on(site: Site, browser_page: Any) -> None:
    """Whoever marks a text in it, or presses on a link, is not disturbed by what runs elsewhere."""
    site.run(TWO_LINES)
    browser_page.goto("/executions?flow_id=two")
    browser_page.wait_for_function("document.querySelector('#list time[title]')")
    kept, told = browser_page.evaluate("""async () => {
        const module = document.querySelector('script[src*="page.js"]').src.replace('page.js', 'refresh.js');
        const {replace} = await import(module);
        const text = (await (await fetch(location.href)).text()).replace(/data-ago="\\d+"/g, 'data-ago="7"');
        const found = new DOMParser().parseFromString(text, 'text/html');
        const list = document.getElementById('list');  // from here on nothing else of the page can come between
        for (const one of found.querySelectorAll('.ago')) one.textContent = list.querySelector('.ago').textContent;
        replace(found);
        return [document.getElementById('list') === list, list.querySelectorAll('.ago').length];
    }""")
    assert kept
    assert told > 0
