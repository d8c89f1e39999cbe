"""The list of executions: filters in its address, page by page, a picture of the last runs, live."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.host.overviews import PastRun
from tailrace_server.drawing.sparkline import sparkline

from .conftest import Site
from .reading import Page

WAITS = "id: waits\nnamespace: company.other\ntasks:\n  - {id: ask, type: flow.Pause}\n"
FAILS = "id: fails\nnamespace: company.team\ntasks:\n  - {id: stop, type: execution.Fail}\n"


def shown(text: str) -> list[str]:
    """The ids of the executions in the list, from the top."""
    return re.findall(r'id="row-([^"]+)"', text)


@pytest.fixture(scope="module")
def ran(site: Site, flow: str) -> dict[str, str]:
    """Executions by a name of theirs, the oldest first."""
    app = site.app
    labelled, _ = app.executions.create(app.flows.read(flow), {}, labels={"team": "sales", "system.own": "x"})
    app.executions.run(labelled.id)
    others = {"failed": FAILS, "paused": WAITS, "last": flow}
    return {"labelled": labelled.id, **{name: site.run(source).id for name, source in others.items()}}


def test_the_newest_is_the_first(site: Site, ran: dict[str, str]) -> None:
    assert shown(site.get("/executions")) == list(ran.values())[::-1]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("flow_id=products", ["last", "labelled"]),
        ("namespace=company.team", ["last", "failed", "labelled"]),
        ("namespace=company.*", ["last", "paused", "failed", "labelled"]),
        ("state=PAUSED", ["paused"]),
        ("state=PAUSED&state=FAILED", ["paused", "failed"]),
        ("status=failed", ["failed"]),
        ("label=team:sales", ["labelled"]),
        ("created_after=2999-01-01", []),
        ("created_before=2999-01-01T00:00:00Z&limit=1", ["last"]),
        ("flow_id=&namespace=&state=&label=&created_after=&created_before=", ["last", "paused", "failed", "labelled"]),
    ],
)
def test_filters_stand_in_the_address(site: Site, ran: dict[str, str], query: str, names: list[str]) -> None:
    assert shown(site.get(f"/executions?{query}")) == [ran[name] for name in names]


def test_the_form_holds_the_filters_of_the_address(site: Site, ran: dict[str, str]) -> None:
    query = "flow_id=products&state=SUCCESS&state=FAILED&status=completed&created_after=2020-01-01&limit=7"
    page = Page(site.get(f"/executions?{query}"))

    assert page.form("/executions") == {
        "flow_id": ["products"], "namespace": [""], "state": ["SUCCESS", "FAILED"], "label": [""], "limit": ["7"],
        "created_after": ["2020-01-01"], "created_before": [""], "status": ["completed"],
    }  # fmt: skip
    assert ("status completed ×", "/executions?flow_id=products&state=SUCCESS&state=FAILED&created_after=2020-01-01"
            "&limit=7") in page.links  # fmt: skip
    assert ("Start products…", "/flows/company.team/products/start") in page.links


def test_pages_follow_each_other_by_links(site: Site, ran: dict[str, str]) -> None:
    address, seen = "/executions?limit=1&namespace=company.team", []
    while address:
        page = Page(site.get(address))
        seen += shown(site.get(address))
        address = dict(page.links).get("Older →", "")
    assert seen == [ran[name] for name in ("last", "failed", "labelled")]
    newer = dict(page.links)["← Newer"]
    assert shown(site.get(newer)) == [ran["failed"]]


def test_labels_are_links_to_their_filter_and_those_of_the_system_are_left_out(site: Site, ran: dict[str, str]) -> None:
    page = Page(site.get("/executions"))

    assert ("team: sales", "/executions?label=team%3Asales") in page.links
    assert not any("system." in text for text, _ in page.links)


def test_nothing_that_fits_is_said(site: Site) -> None:
    assert "No execution fits." in site.get("/executions?flow_id=never")


def test_a_wrong_filter_is_refused(site: Site) -> None:
    with site.client() as client:
        answer = client.get("/executions?state=DANCING")
    assert answer.status_code == 422
    assert "`DANCING` is none of" in answer.text


def runs(*told: tuple[str, float | None]) -> list[PastRun]:
    return [PastRun(str(at), state, at, seconds) for at, (state, seconds) in enumerate(told)]


def test_a_sparkline_has_a_bar_for_each_run_as_high_as_it_took_long() -> None:
    drawn = sparkline(runs(("SUCCESS", 2.0), ("FAILED", 4.0), ("RUNNING", None)), mine="1")

    assert drawn == (
        '<svg class="spark" viewBox="0 0 80 19" width="80" height="19" role="img" '
        'aria-label="the last 3 executions of this flow took up to 4.0 s">'
        '<path class="good" d="M68 16v-8h3v8z"/><path class="bad" d="M72 16v-16h3v16z"/>'
        '<path class="busy" d="M76 16v-2h3v2z"/><path class="mine" d="M72 17h3v2h-3z"/></svg>'
    )


def test_a_sparkline_shows_the_newest_twenty() -> None:
    drawn = sparkline(runs(*[("SUCCESS", 1.0)] * 25), mine="0")

    assert drawn.count("v-16") == 20
    assert "mine" not in drawn


def test_an_execution_is_marked_among_the_last_ones_of_its_flow(site: Site, ran: dict[str, str]) -> None:
    text = site.get("/executions?flow_id=products")

    assert text.count('class="spark"') == 2
    assert text.count('class="mine"') == 2


@pytest.mark.browser
def test_the_list_lives(site: Site, ran: dict[str, str], browser_page: Any, flow: str) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/executions?namespace=company.*")
    rows = browser_page.locator("table.executions tbody tr")
    expect(rows).to_have_count(4)
    paused = browser_page.locator("tr", has=browser_page.locator(f"#row-{ran['paused']}"))
    expect(paused.locator(".state")).to_have_text("paused")

    begun = site.begin(flow)
    expect(rows).to_have_count(5)
    expect(rows.first.locator(f"#row-{begun.id}")).to_be_visible()
    expect(rows.first.locator(".state")).to_have_text("success")

    site.app.executions.resume(ran["paused"])
    expect(paused.locator(".state")).to_have_text("success")
    assert browser_page.url.endswith("/executions?namespace=company.*")


@pytest.mark.browser
def test_the_list_is_filtered_as_somebody_types(site: Site, ran: dict[str, str], browser_page: Any, axe: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/executions")
    browser_page.get_by_label("Flow", exact=True).fill("fails")
    expect(browser_page.locator("table.executions tbody tr")).to_have_count(1)
    expect(browser_page).to_have_url(f"{site.url}/executions?flow_id=fails")
    expect(browser_page.get_by_role("link", name="Start fails…")).to_be_visible()
    browser_page.get_by_label("State").select_option("SUCCESS")
    expect(browser_page.get_by_text("No execution fits.")).to_be_visible()
    axe(browser_page)
    browser_page.get_by_role("link", name="Without filters").click()
    expect(browser_page.locator("table.executions tbody tr").first).to_be_visible()
    expect(browser_page).to_have_url(f"{site.url}/executions")
