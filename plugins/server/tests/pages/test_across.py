"""`/outputs`: the list, its filters and tags, the charts, and correcting what came out."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from core.host.overviews import DayCount, SummaryPoint, TaskDurations
from tailrace_server.drawing.charts import days_chart, durations_chart, nice, points_chart
from tailrace_server.pages.task_output import kept

from .conftest import Site

CHAIN = """
id: chain
namespace: company.across
tasks:
  - {id: source, type: debug.Return, format: "41"}
  - {id: reader, type: debug.Return, format: "{{ outputs.source.value }} read"}
  - {id: other, type: debug.Return, format: "nothing to do with it"}
"""


@pytest.fixture(scope="module")
def chain(site: Site) -> dict[str, str]:
    """Ids of the outputs of an execution that has ended, by task, and its own."""
    view = site.run(CHAIN)
    return {"execution": view.id, **{task.task_name: task.id for task in site.app.executions.tasks(view.id)}}


def listed(text: str) -> list[str]:
    """The tasks that a list shows, in its order."""
    return re.findall(r'id="row-[^"]*">([^<]*)<', text)


def test_the_list_is_newest_first(site: Site, chain: dict[str, str]) -> None:
    assert listed(site.get("/outputs"))[:3] == ["other", "reader", "source"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("task_name=reader", ["reader"]),
        ("search=EAD", ["reader"]),
        ("task_name=reader&task_name=other", ["other", "reader"]),
        ("namespace=company.*&flow_id=chain&status=completed&task_name=&tag=&where=", ["other", "reader", "source"]),
        ("status=failed", []),
        ("created_after=2100-01-01", []),
        ("where=rows>5", []),
    ],
)
def test_filters_are_in_the_address(site: Site, chain: dict[str, str], query: str, shown: list[str]) -> None:
    assert listed(site.get(f"/outputs?{query}")) == shown


def test_what_holds_beyond_the_form_is_shown_and_can_be_left(site: Site, chain: dict[str, str]) -> None:
    text = site.get("/outputs?task_name=reader&task_name=other&summary.value=41")
    assert re.findall(r'class="chip">([^<]*) <a href="([^"]*)"', text) == [
        ("task_name = other", "/outputs?task_name=reader&amp;summary.value=41"),
        ("summary.value = 41", "/outputs?task_name=reader&amp;task_name=other"),
    ]


@pytest.mark.parametrize(
    "query", ["state=SUCCESS&flow_id=chain", "modified_by=system&task_name=reader", "tag_all=never", "updated_after=2100-01-01"]
)
def test_a_filter_that_holds_is_unfolded_and_filled_in(site: Site, chain: dict[str, str], query: str) -> None:
    text = site.get(f"/outputs?{query}")
    assert '<details id="more" class="more" open>' in text
    value = query.partition("=")[2].partition("&")[0]
    assert f'value="{value}"' in text
    assert '<details id="more" class="more">' in site.get("/outputs?flow_id=chain")


def test_a_time_of_day_is_not_lost_in_a_field_for_days(site: Site, chain: dict[str, str]) -> None:
    text = site.get("/outputs?flow_id=chain&created_after=2020-01-01T10:00:00Z")
    assert '<input type="hidden" name="created_after" value="2020-01-01T10:00:00Z">' in text
    assert '<input type="date" name="created_after" value="" ' in text


def test_pages_lead_to_each_other_and_back(site: Site, chain: dict[str, str]) -> None:
    seen, address = [], "/outputs?flow_id=chain&limit=1"
    for _ in range(3):
        text = site.get(address)
        seen += listed(text)
        older = re.search(r'href="([^"]*)" rel="next"', text)
        address = older[1].replace("&amp;", "&") if older else ""
    assert (seen, address) == (["other", "reader", "source"], "")
    newer = re.search(r'href="([^"]*)" rel="prev"', text)
    assert newer is not None
    assert listed(site.get(newer[1].replace("&amp;", "&"))) == ["reader"]


def test_the_oldest_come_first_when_the_head_of_the_times_is_followed(site: Site, chain: dict[str, str]) -> None:
    newest = site.get("/outputs?flow_id=chain&limit=2")
    turn = re.search(r'aria-sort="descending"><a href="([^"]*)" id="by-time"', newest)
    assert turn is not None
    first = site.get(unescape(turn[1]))
    assert (listed(newest), listed(first)) == (["other", "reader"], ["source", "reader"])
    newer = re.search(r'href="([^"]*)" rel="next"[^>]*>Newer →<', first)
    assert newer is not None
    second = site.get(unescape(newer[1]))
    assert listed(second) == ["other"]
    older = re.search(r'href="([^"]*)" rel="prev"[^>]*>← Older<', second)
    assert older is not None
    assert listed(site.get(unescape(older[1]))) == ["source", "reader"]
    assert f'aria-sort="ascending"><a href="{turn[1].partition("&amp;order")[0]}"' in first
    assert '<input type="hidden" name="order" value="oldest">' in first
    with site.client() as client:
        exported = client.get("/outputs/export?flow_id=chain&order=oldest&format=jsonl").text
    assert re.findall(r'"task_name":"(\w+)"', exported) == ["source", "reader", "other"]


def test_a_wrong_condition_is_told(site: Site) -> None:
    with site.client() as client:
        answer = client.get("/outputs?where=rows>many")
    assert answer.status_code == 422
    assert "many` is not a number, and only numbers have an order here" in answer.text


@pytest.mark.parametrize(("name", "media"), [("csv", "text/csv"), ("jsonl", "application/x-ndjson")])
def test_the_list_can_be_taken_away(site: Site, chain: dict[str, str], name: str, media: str) -> None:
    with site.client() as client:
        answer = client.get(f"/outputs/export?flow_id=chain&task_name=reader&format={name}")
    assert answer.headers["content-type"].startswith(media)
    assert answer.headers["content-disposition"] == f'attachment; filename="outputs.{name}"'
    assert ("41 read" in answer.text, "nothing to do" in answer.text) == (True, False)


def test_rows_are_tagged_together(site: Site, chain: dict[str, str]) -> None:
    two = {"id": [chain["reader"], chain["other"]], "key": "seen", "query": "flow_id=chain"}
    answer = site.post("/outputs/tags", **{**two, "value": "yes", "change": "add"})  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["location"]) == (303, "/outputs?flow_id=chain")
    assert listed(site.get("/outputs?tag=seen:yes")) == ["other", "reader"]
    site.post("/outputs/tags", **{**two, "change": "remove"})  # type: ignore[arg-type]
    assert listed(site.get("/outputs?tag=seen")) == []


def test_no_row_is_tagged_when_none_is_chosen(site: Site) -> None:
    answer = site.post("/outputs/tags", key="seen", change="add")
    assert (answer.status_code, "No row is chosen" in answer.text) == (422, True)


def test_a_form_of_elsewhere_is_refused(site: Site, chain: dict[str, str]) -> None:
    with site.client() as client:
        answer = client.post(f"/outputs/{chain['other']}/delete")
    assert answer.status_code == 403
    assert site.app.outputs.get(chain["other"]).deleted_at is None


def test_an_output_is_hidden_and_comes_back(site: Site) -> None:
    execution = site.run(CHAIN)
    task = next(task for task in site.app.executions.tasks(execution.id) if task.task_name == "other")
    site.post(f"/outputs/{task.id}/delete")
    assert listed(site.get(f"/outputs?flow_execution_id={execution.id}")) == ["reader", "source"]
    assert "Bring it back" in site.get(f"/outputs/{task.id}")
    site.post(f"/outputs/{task.id}/restore")
    assert listed(site.get(f"/outputs?flow_execution_id={execution.id}")) == ["other", "reader", "source"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"output": '{"value": '}, "the output is not JSON: Expecting value: line 1 column 11 (char 10)"),
        ({"reason": " "}, "say why it is corrected"),
        ({"output": '{"value": "41"}', "summary": '{"value": "41"}'}, "nothing was changed"),
        ({"version": "7"}, "what you typed is still here"),
    ],
)
def test_a_correction_that_is_wrong_keeps_what_was_typed(
    site: Site, chain: dict[str, str], fields: dict[str, str], problem: str
) -> None:
    view = site.app.outputs.get(chain["source"])
    typed = {"output": '{"value": "<typed>"}', "summary": "", "reason": "why", "version": str(view.version), **fields}
    answer = site.post(f"/outputs/{chain['source']}/correct", **typed)
    assert answer.status_code in (409, 422)
    assert problem in answer.text
    if "<typed>" in typed["output"]:
        assert "{&#34;value&#34;: &#34;&lt;typed&gt;&#34;}" in answer.text
    assert site.app.outputs.get(chain["source"]).version == view.version


def test_what_was_not_touched_stays_as_it_was_recorded() -> None:
    from datetime import date

    recorded = {"day": date(2026, 11, 22), "rows": [{"n": 1}, {"n": 2}], "gone": 1}
    typed = {"day": "2026-11-22", "rows": [{"n": 1}, {"n": 3}], "flag": True}
    assert kept(recorded, typed) == {"day": date(2026, 11, 22), "rows": [{"n": 1}, {"n": 3}], "flag": True}
    assert kept({"n": 1}, {"n": True}) == {"n": True}


def test_days_without_outputs_are_seen_as_gaps() -> None:
    chart = days_chart([DayCount("2026-11-20", "completed", 3), DayCount("2026-11-22", "failed", 1)])
    assert re.findall(r'class="(\w+)" x="([\d.]+)"[^>]*><title>([^<]*)', chart) == [
        ("completed", "49.0", "2026-11-20: 3 completed"), ("failed", "218.1", "2026-11-22: 1 failed"),
    ]  # fmt: skip


def test_charts_of_nothing_are_nothing() -> None:
    assert (days_chart([]), durations_chart([]), points_chart([])) == ("", "", "")


def test_names_in_charts_are_escaped() -> None:
    durations = durations_chart([TaskDurations("<script>", 1, 0.1, 0.2, 0.3)])
    points = points_chart([SummaryPoint("id", "<b>", 0, 1.0), SummaryPoint("id", "<b>", 10, float(-2))])
    assert ("<script>" in durations, "<b>" in points) == (False, False)
    assert "&lt;script&gt;: median 100 ms, p95 200 ms, longest 300 ms of 1" in durations


@pytest.mark.parametrize(("number", "end"), [(0.0, 1), (1, 1), (3, 5), (7, 10), (10, 10), (11, 20), (4_200, 5_000)])
def test_axes_end_at_round_numbers(number: float, end: float) -> None:
    assert nice(number) == end


@pytest.mark.browser
def test_a_correction_makes_stale_and_only_that_runs_again(site: Site, browser_page: Any, axe: Any) -> None:
    from playwright.sync_api import expect

    execution = site.run(CHAIN)
    page = browser_page
    page.goto(f"/outputs?flow_execution_id={execution.id}")
    axe(page)
    page.get_by_role("link", name="source", exact=True).click()
    page.get_by_text("Correct this output").click()
    page.get_by_label("Output (JSON)").fill('{"value": "42"}')
    page.get_by_label("Reason, for the audit").fill("it was counted wrongly")
    page.get_by_role("button", name="Correct it").click()
    stale = page.locator("#stale")
    expect(stale).to_contain_text("1 of this execution is stale")
    expect(stale.get_by_role("link", name="reader")).to_be_visible()
    expect(page.locator("#audit")).to_contain_text("task_output.correct by local: it was counted wrongly")
    axe(page)
    stale.get_by_role("button", name="Run only that, as a new execution").click()
    expect(page).to_have_url(re.compile(r"/executions/[^/]+$"))
    expect(page.locator("#main")).to_contain_text("success")
    new = page.url.rpartition("/")[2]
    tasks = {task.task_name: task for task in site.app.executions.tasks(new)}
    assert site.app.outputs.value(tasks["reader"].id) == {"value": "42 read"}
    begun = site.app.executions.get(new).created_at
    assert {name for name, task in tasks.items() if task.attempts[-1].started_at >= begun} == {"reader"}


@pytest.mark.browser
def test_the_list_narrows_while_one_types(site: Site, chain: dict[str, str], browser_page: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/outputs?flow_id=chain")
    browser_page.get_by_label("Find").press_sequentially("reade")
    expect(browser_page.locator("tbody tr")).to_have_count(len(listed(site.get("/outputs?flow_id=chain&search=reade"))))
    expect(browser_page).to_have_url(re.compile("search=reade"))
    expect(browser_page.get_by_label("Find")).to_be_focused()


@pytest.mark.browser
def test_the_charts_show_what_the_list_amounts_to(site: Site, browser_page: Any, axe: Any) -> None:
    from playwright.sync_api import expect

    execution = site.run(CHAIN)
    task = next(task for task in site.app.executions.tasks(execution.id) if task.task_name == "other")
    site.app.changes.correct(task.id, task.version, by="test", summary={"rows": 5}, reason="counted")
    browser_page.goto("/outputs/charts?flow_id=chain")
    expect(browser_page.get_by_role("img", name="Outputs per day by status")).to_be_visible()
    expect(browser_page.get_by_role("img", name="Durations by task")).to_contain_text("reader")
    expect(browser_page.get_by_role("heading", name="summary.rows over time")).to_be_visible()
    axe(browser_page)
