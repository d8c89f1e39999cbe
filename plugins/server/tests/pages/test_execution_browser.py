"""One execution in the browser: live, by keyboard, without breaches of accessibility, and nothing of it runs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.host.views import ExecutionView

from .conftest import Site
from .running import SHAPES, SLOW, WAITS, until

pytestmark = pytest.mark.browser
STEPS = """
id: steps
namespace: company.team
tasks:
  - {id: approve, type: flow.Pause}
  - {id: after, type: log.Log, message: "went on"}
"""


@pytest.fixture(scope="module")
def failed(site: Site) -> ExecutionView:
    return site.run(SHAPES)


@pytest.fixture
def slow(site: Site) -> Any:
    """One whose script writes lines for a minute."""
    view = until(site, site.begin(SLOW), "RUNNING")
    yield view
    if site.app.executions.get(view.id).ended_at is None:
        site.app.executions.kill(view.id)
        until(site, view, "KILLED")


@pytest.mark.parametrize("tab", ["", "/gantt?task_name=inside", "/graph", "/logs", "/source", "/replay"])
def test_pages_are_accessible_in_light_and_dark(
    site: Site, browser_page: Any, axe: Any, failed: ExecutionView, tab: str
) -> None:
    browser_page.goto(f"/executions/{failed.id}{tab}")
    axe(browser_page)


def test_pages_of_what_waits_are_accessible(site: Site, browser_page: Any, axe: Any) -> None:
    view = until(site, site.begin(WAITS), "PAUSED")
    for tab in ("", "/gantt", "/resume"):
        browser_page.goto(f"/executions/{view.id}{tab}")
        axe(browser_page)
    site.app.executions.kill(view.id)


@pytest.mark.parametrize("tab", ["", "/gantt", "/graph", "/logs", "/source", "/replay"])
def test_pages_fit_on_a_phone(site: Site, browser_page: Any, failed: ExecutionView, tab: str) -> None:
    browser_page.set_viewport_size({"width": 380, "height": 700})
    browser_page.goto(f"/executions/{failed.id}{tab}")
    assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_error_leads_to_its_line(site: Site, browser_page: Any, failed: ExecutionView) -> None:
    from playwright.sync_api import expect

    browser_page.goto(f"/executions/{failed.id}")
    link = browser_page.get_by_role("link", name=re.compile(r"^Source, line \d+$"))
    line = link.inner_text().rpartition(" ")[2]
    link.click()
    marked = browser_page.locator(f"#L{line}")
    expect(marked).to_be_in_viewport()
    expect(marked).to_contain_text("- id: broken")
    expect(marked).to_contain_text("no <script> for AT")


def test_a_page_follows_what_happens(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    view = until(site, site.begin(STEPS), "PAUSED")
    browser_page.goto(f"/executions/{view.id}")
    expect(browser_page.locator("#head .state")).to_have_text("paused")
    site.app.executions.resume(view.id)
    expect(browser_page.locator("#head .state")).to_have_text("success")
    expect(browser_page.locator("#overview table")).to_contain_text("after")


def test_lines_come_while_a_script_runs_until_it_is_killed(site: Site, browser_page: Any, slow: ExecutionView) -> None:
    from playwright.sync_api import expect

    browser_page.goto(f"/executions/{slow.id}/logs")
    log = browser_page.locator("#log")
    expect(browser_page.locator("#live")).to_have_text("Live")
    shown = log.locator(".line").count()
    expect(log.locator(".line").nth(shown + 5)).to_be_visible()
    browser_page.get_by_role("button", name="Kill").click()
    browser_page.wait_for_url(f"**/executions/{slow.id}")
    expect(browser_page.locator("#head .state")).to_have_text("killed")


def test_lines_that_come_are_those_of_the_filter_in_order_and_once(
    site: Site, browser_page: Any, slow: ExecutionView
) -> None:
    from playwright.sync_api import expect

    browser_page.goto(f"/executions/{slow.id}/logs")
    browser_page.get_by_label("Find").fill("LINE")
    expect(browser_page).to_have_url(re.compile("find=LINE"))
    lines = browser_page.locator("#log .message")
    expect(lines.nth(12)).to_be_visible()
    found = lines.all_inner_texts()
    numbers = [int(text.split()[1]) for text in found]
    assert numbers == list(range(1, len(found) + 1))
    assert all(text.startswith("line ") for text in found)


def test_the_duration_of_what_runs_counts_on(site: Site, browser_page: Any, slow: ExecutionView) -> None:
    browser_page.goto(f"/executions/{slow.id}/source")
    first = browser_page.locator("#head [data-seconds]").inner_text()
    browser_page.wait_for_function("first => document.querySelector('#head [data-seconds]').textContent !== first", arg=first)


def test_the_bar_of_what_runs_grows(site: Site, browser_page: Any, slow: ExecutionView) -> None:
    browser_page.goto(f"/executions/{slow.id}/gantt")
    first = browser_page.locator(".gantt .running title").inner_html()
    marks = browser_page.locator("#marks line").count()
    browser_page.wait_for_function(
        "marks => document.querySelector('#marks').innerHTML !== marks",
        arg=browser_page.locator("#marks").inner_html(),
    )
    assert (first, marks > 1) == ("attempt 1, running", True)


def test_a_loop_is_unfolded_in_place_by_the_keyboard(site: Site, browser_page: Any, failed: ExecutionView) -> None:
    from playwright.sync_api import expect

    browser_page.goto(f"/executions/{failed.id}/gantt")
    link = browser_page.get_by_role("link", name="▸ inside")
    link.focus()
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_role("rowheader", name=re.compile(r"inside \[\d+\]"))).to_have_count(50)
    expect(browser_page).to_have_url(re.compile("task_name=inside"))
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_role("rowheader", name=re.compile(r"inside \[\d+\]"))).to_have_count(0)


def test_resuming_from_the_form(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    view = until(site, site.begin(WAITS), "PAUSED")
    browser_page.goto(f"/executions/{view.id}")
    browser_page.get_by_role("link", name="Resume…").click()
    browser_page.get_by_label("amount").fill("7")
    browser_page.get_by_role("button", name="Resume").click()
    expect(browser_page.locator("#input-reason-problem")).to_have_text("it has to be given")
    assert browser_page.get_by_label("amount").input_value() == "7"
    browser_page.get_by_label("reason").fill("because")
    browser_page.get_by_role("button", name="Resume").click()
    expect(browser_page.locator("#head .state")).to_have_text("success")
    after = next(task for task in site.app.executions.tasks(view.id) if task.task_name == "after")
    assert site.app.outputs.value(after.id) == {"value": "because 7"}


def test_what_a_flow_says_is_only_text(site: Site, browser_page: Any) -> None:
    attack = '<img src=x onerror=alert(1)><script>alert(2)</script>'
    view = site.run(
        "id: attack\nnamespace: company.team\nlabels: {evil: '" + attack + "'}\ninputs:\n"
        f"  - {{id: text, type: STRING, defaults: '{attack}'}}\ntasks:\n"
        "  - {id: log, type: log.Log, message: '{{ inputs.text }}'}\n"
        "  - {id: fail, type: execution.Fail, errorMessage: '{{ inputs.text }}', description: '" + attack + "'}\n"
    )
    dialogs: list[str] = []

    def told(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    browser_page.on("dialog", told)
    for tab in ("", "/gantt", "/graph", "/logs", "/source"):
        browser_page.goto(f"/executions/{view.id}{tab}")
        assert browser_page.locator("main img").count() == 0
        assert browser_page.locator("main script").count() == 0
    assert dialogs == []
