"""The form that starts a flow, in a real browser: it answers while it is filled in, and works without scripts too."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Site, open_site, opened
from .running import until
from .test_start import FLOW, START, newest

pytestmark = pytest.mark.browser
TUTORIAL = Path(__file__).parents[4] / "docs" / "tutorial" / "first-flow.md"
SECRET_FLOW = """
id: secrets
namespace: company.team
inputs:
  - {id: password, type: STRING, validator: "[a-z]+"}
  - {id: token, type: SECRET, required: false}
  - {id: table, type: FILE, required: false}
  - {id: kind, type: SELECT, values: [a, b], isRadio: true, defaults: a}
  - {id: other, type: STRING, defaults: "of {{ inputs.kind }}", dependsOn: {inputs: [kind]}}
tasks:
  - {id: say, type: debug.Return, format: hi}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One whose scripts find what this machine has: without uv, the environment of a script is made ten times slower."""
    with open_site(
        tmp_path_factory.mktemp("site"), environment={"PATH": os.environ["PATH"]}, max_request=500_000, max_upload=4_000_000
    ) as site:
        yield site


@pytest.fixture(scope="module", autouse=True)
def pushed(site: Site) -> None:
    for flow in (FLOW, SECRET_FLOW, tutorial_flow(3)):
        site.app.flows.push(flow)


def tutorial_flow(number: int) -> str:
    """One of the flows that the tutorial writes, as a reader copies it."""
    flows: list[str] = re.findall(r"```yaml\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    return flows[number - 1]


def test_the_third_flow_of_the_tutorial_is_started_from_its_form(site: Site, browser_page: Any, axe: Any) -> None:
    from playwright.sync_api import expect

    before = newest_or_none(site)
    browser_page.goto("/flows/tutorial/primes/start")
    axe(browser_page)
    limit = browser_page.get_by_label("limit")
    limit.fill("ten")
    browser_page.get_by_role("button", name="Start").click()
    expect(browser_page.get_by_text("it is not a whole number")).to_be_visible()
    expect(limit).to_be_focused()
    expect(limit).to_have_attribute("aria-invalid", "true")
    axe(browser_page)
    assert newest_or_none(site) == before

    limit.fill("30")
    expect(browser_page.get_by_text("it is not a whole number")).to_be_hidden()
    browser_page.get_by_role("button", name="Start").click()
    expect(browser_page).to_have_url(re.compile("/executions/[0-9a-f-]{36}$"))
    expect(browser_page.locator("#head .state")).to_have_text("success", timeout=90_000)
    assert site.app.outputs.value(f"{newest(site)}/sum")["row"] == {"primes": 10, "largest": 29}


def test_fields_come_go_and_follow_while_what_was_typed_stays(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto(START)
    depth, greeting = browser_page.locator("#input-depth"), browser_page.locator("#input-greeting")
    expect(depth).to_be_hidden()
    browser_page.get_by_role("radiogroup", name="advanced").get_by_label("true").check()
    expect(depth).to_be_visible()
    expect(depth).to_have_value("3")
    depth.fill("8")
    browser_page.get_by_label("name", exact=True).press("End")
    browser_page.get_by_label("name", exact=True).press_sequentially(" wide", delay=20)
    expect(greeting).to_have_value("Hello world wide")
    expect(browser_page.get_by_label("name", exact=True)).to_be_focused()
    expect(depth).to_have_value("8")
    browser_page.get_by_role("radiogroup", name="advanced").get_by_label("false").check()
    expect(depth).to_be_hidden()
    browser_page.get_by_role("radiogroup", name="advanced").get_by_label("true").check()
    expect(depth).to_have_value("8")
    expect(browser_page.get_by_text("it has to be given")).to_have_count(0)


def test_files_and_secrets_survive_what_the_server_says(site: Site, browser_page: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    browser_page.goto("/flows/company.team/secrets/start")
    browser_page.locator("#input-table").set_input_files(tmp_path / "rows.csv")
    browser_page.get_by_label("password").fill("123")
    browser_page.get_by_role("radiogroup", name="kind").get_by_label("b").check()
    expect(browser_page.locator("#input-other")).to_have_value("of b")
    expect(browser_page.get_by_text("it must match the pattern `[a-z]+`")).to_be_visible()
    browser_page.get_by_role("button", name="Start").click()
    expect(browser_page.get_by_label("password")).to_be_focused()
    browser_page.get_by_label("password").fill("abc")
    browser_page.get_by_role("button", name="Start").click()
    expect(browser_page).to_have_url(re.compile("/executions/[0-9a-f-]{36}$"))

    inputs = site.app.executions.get(newest(site)).inputs
    assert inputs["table"].endswith("/rows.csv")
    assert (inputs["password"], inputs["other"]) == ("abc", "of b")


def test_a_file_that_the_server_would_not_take_is_told_before_it_is_sent(
    site: Site, browser_page: Any, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    (tmp_path / "large.csv").write_bytes(b"x" * 4_100_000)
    browser_page.goto("/flows/company.team/secrets/start")
    browser_page.locator("#input-table").set_input_files(tmp_path / "large.csv")
    browser_page.get_by_role("button", name="Start").click()
    expect(browser_page.get_by_text("the files have 4.1 MB, this server takes 4.0 MB at once")).to_be_visible()


RESUMED = """
id: resumed
namespace: company.team
tasks:
  - {id: approve, type: flow.Pause, onResume: [{id: table, type: FILE}, {id: note, type: STRING, validator: "[a-z]+"}]}
  - {id: after, type: debug.Return, format: "{{ outputs.approve.onResume.table }}"}
"""


@pytest.mark.parametrize("scripts", [True, False])
def test_a_task_that_waits_is_given_a_file(site: Site, browser: Any, axe: Any, tmp_path: Path, scripts: bool) -> None:
    from playwright.sync_api import expect

    content = os.urandom(3_500_000)
    (tmp_path / "rows.csv").write_bytes(content)
    view = until(site, site.begin(RESUMED), "PAUSED")
    with opened(browser, site.url, java_script_enabled=scripts) as page:
        page.goto(f"/executions/{view.id}/resume")
        if scripts:
            axe(page)
        page.locator("#input-table").set_input_files(tmp_path / "rows.csv")
        page.get_by_label("note").fill("123")
        page.get_by_role("button", name="Resume", exact=True).click()
        expect(page.locator("#input-note-problem")).to_have_text("it must match the pattern `[a-z]+`")
        page.get_by_label("note").fill("abc")
        if not scripts:  # no browser fills in a file anew
            page.locator("#input-table").set_input_files(tmp_path / "rows.csv")
        page.get_by_role("button", name="Resume", exact=True).click()
        expect(page).to_have_url(re.compile(f"/executions/{view.id}$"))
    until(site, view, "SUCCESS")
    with site.app.files.open(site.app.outputs.value(f"{view.id}/after")["value"]) as stored:
        assert stored.read() == content


def test_without_scripts_the_form_is_shown_again_with_everything(site: Site, browser: Any) -> None:
    from playwright.sync_api import expect

    with opened(browser, site.url, java_script_enabled=False) as page:
        page.goto(START)
        page.get_by_label("name", exact=True).fill("Ada")
        page.get_by_role("radiogroup", name="advanced").get_by_label("true").check()
        page.get_by_role("button", name="Look again").click()
        expect(page.locator("#input-depth")).to_have_value("3")
        expect(page.locator("#input-greeting")).to_have_value("Hello Ada")
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text("it has to be given")).to_be_visible()
        expect(page.get_by_label("name", exact=True)).to_have_value("Ada")
        page.get_by_label("How many").fill("5")
        page.get_by_role("button", name="Start").click()
        expect(page).to_have_url(re.compile("/executions/[0-9a-f-]{36}$"))

    assert site.app.executions.get(newest(site)).inputs["greeting"] == "Hello Ada"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_form_is_for_everybody(site: Site, browser: Any, axe: Any, scheme: str) -> None:
    with opened(browser, site.url, color_scheme=scheme) as page:
        page.goto(START)
        page.get_by_role("button", name="Start").click()
        page.get_by_text("it has to be given").wait_for()
        axe(page)


def newest_or_none(site: Site) -> str | None:
    from core.host.views import ExecutionFilter

    found = site.app.executions.list(ExecutionFilter(limit=1)).data
    return found[0].id if found else None
