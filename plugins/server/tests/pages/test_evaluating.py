"""The evaluator of an execution: the form by itself, names for its script, and both in the browser."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest

from .conftest import Site

FLOW = """
id: evaluated
namespace: company.outputs
inputs:
  - {id: name, type: STRING, defaults: Ada}
tasks:
  - {id: make, type: output.OutputValues, values: {rows: [{id: 1, name: x}, {id: 2, name: y}], my-key: 5}}
  - id: each
    type: flow.ForEach
    values: [left, right]
    tasks:
      - {id: one, type: debug.Return, format: "{{ taskrun.value | upper }}"}
"""


@pytest.fixture(scope="module")
def evaluated(site: Site) -> str:
    """The address of an execution that has ended."""
    view = site.run(FLOW)
    assert view.state == "SUCCESS", view.error
    return f"/executions/{view.id}"


def result(text: str) -> str:
    """What stands in the place of the result, as text."""
    inside = text.partition('id="evaluated"')[2].partition(">")[2].partition("</section>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


def ask(site: Site, address: str, **query: str) -> str:
    with site.client() as client:
        answer = client.get(f"{address}/evaluator", params=query)
    assert answer.status_code == 200
    return result(answer.text)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"expression": "inputs.name"}, "text Ada"),
        ({"expression": "Hello {{ inputs.name }}"}, "text Hello Ada"),
        ({"expression": "outputs.make.values.rows"}, "list of 2 2 rows Table JSON"),
        ({"expression": "outputs.make.values['my-key'] * 2"}, "whole number 10"),
        ({"expression": "inputs.name == 'Ada'"}, "boolean true"),
        ({"expression": "null"}, "null null"),
        ({"expression": "taskrun.value", "as_task": "one", "as_value": "left"}, "text left"),
        ({"expression": "taskrun.value", "as_task": "one"}, "text right"),
        ({"expression": ""}, "What it gives stands here, with its type."),
    ],
)
def test_the_form_shows_what_an_expression_gives(site: Site, evaluated: str, query: dict[str, str], told: str) -> None:
    assert ask(site, evaluated, **query).startswith(told)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("outputs.make.values.row",
         "`outputs.make.values.row` is undefined {{ outputs.make.values.row }} ^ Expected one of outputs.make.values.rows, "
         "outputs.make.values['my-key'] To do did you mean `outputs.make.values.rows`? "
         "Or give a fallback: {{ outputs.make.values.row ?? '…' }}"),
        ("inputs.name | uper",
         "there is no filter `uper` {{ inputs.name | uper }} ^ Expected one of upper, number, abbreviate, abs, "
         "base64decode, base64encode, … To do did you mean `upper`?"),
        ("inputs.name |", "the expression ends too early {{ inputs.name | }} ^ Expected the name of a filter"),
        ("secret('TOKEN')",
         "secrets can't be read here Expected an expression without secrets To do use it inside a flow, where its value "
         "is hidden from logs and outputs"),
        ("range(0, 99999999)",
         "an expression would make a list of 100,000,000 elements Expected at most 1,000,000 To do work on a file in a "
         "task instead"),
    ],
)  # fmt: skip
def test_an_error_is_shown_with_its_place_and_what_was_meant(
    site: Site, evaluated: str, expression: str, told: str
) -> None:
    assert ask(site, evaluated, expression=expression) == told


def test_the_caret_stands_under_the_place(site: Site, evaluated: str) -> None:
    text = site.get(f"{evaluated}/evaluator?expression=inputs.name+~+nobody")
    assert "{{ inputs.name ~ nobody }}\n                     ^" in unescape(text)


def test_what_an_expression_gives_can_not_become_markup(site: Site, evaluated: str) -> None:
    text = site.get(f"{evaluated}/evaluator?expression='%3Cscript%3Ealert(1)%3C/script%3E'")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_other_ways_to_show_a_result_are_links_that_ask_again(site: Site, evaluated: str) -> None:
    text = site.get(f"{evaluated}/evaluator?expression=outputs.make.values.rows")
    found = re.search(r'href="([^"]*evaluator\?[^"]*as=json[^"]*)"', text)
    assert found
    assert "id 1" in result(site.get(unescape(found[1])))


def names(site: Site, address: str, **query: str | int) -> list[dict[str, Any]]:
    with site.client() as client:
        answer = client.get(f"{address}/completions", params=query)
    assert answer.headers["content-type"] == "application/json"
    found: list[dict[str, Any]] = answer.json()["names"]
    return found


def test_names_are_completed_for_a_script(site: Site, evaluated: str) -> None:
    found = names(site, evaluated, text="outputs.make.values.", cursor=20)
    assert found[:2] == [
        {"name": "rows", "detail": "list", "start": 20}, {"name": "['my-key']", "detail": "whole number", "start": 19},
    ]  # fmt: skip
    assert [one["name"] for one in names(site, evaluated, text="taskrun.it", cursor=10, as_task="one")] == ["iteration"]
    assert names(site, evaluated, text="secret('", cursor=8) == []


def test_the_way_to_the_evaluator_keeps_the_iteration_of_each_loop(site: Site) -> None:
    view = site.run(
        "id: loops\nnamespace: company.outputs\ntasks:\n  - id: outer\n    type: flow.ForEach\n    values: [1, 2]\n    tasks:\n"
        "      - id: inner\n        type: flow.ForEach\n        values: [x, y]\n"
        "        tasks: [{id: leaf, type: debug.Return, format: '{{ taskrun.value }}'}]\n"
    )
    for leaf in [task for task in site.app.executions.tasks(view.id) if task.task_name == "leaf"]:
        page = site.get(f"/executions/{view.id}/outputs?show={leaf.id}&name=value")
        way = re.search(r'href="[^"]*&amp;as_task=leaf&amp;as_value=([^"]*)" [^>]*data-value="([^"]*)"', page)
        assert way
        assert (unquote(way[1]), way[2]) == ("/".join(leaf.path), "/".join(leaf.path))
        asked = {"expression": "parents[0].taskrun.value", "as_task": "leaf", "as_value": way[2]}
        told = ask(site, f"/executions/{view.id}", **asked)
        assert told == f"text {leaf.path[0]}"


def test_an_execution_that_is_not_there_is_told(site: Site) -> None:
    with site.client() as client:
        for path in ("evaluator?expression=1", "completions?text=a&cursor=1", "outputs"):
            assert client.get(f"/executions/0193d2b0-0000-7000-8000-000000000000/{path}").status_code == 404


# -- in the browser


@pytest.mark.browser
def test_results_and_names_come_while_one_types(browser_page: Any, evaluated: str) -> None:
    from playwright.sync_api import expect

    page = browser_page
    page.goto(f"{evaluated}/outputs")
    page.keyboard.press("e")
    expect(page.locator("#expression")).to_be_focused()
    page.keyboard.type("outp")
    expect(page.locator("#completions li").first).to_have_text("outputsmap")
    page.keyboard.press("Tab")
    expect(page.locator("#expression")).to_have_value("outputs")
    page.keyboard.type(".ma")
    expect(page.locator("#completions li").first).to_have_text("makeoutput")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#completions li").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.keyboard.type(".values.")
    expect(page.locator("#completions").get_by_role("option", name="['my-key']")).to_be_visible()
    page.locator("#completions").get_by_role("option", name="['my-key']").click()
    expect(page.locator("#expression")).to_have_value("outputs.make.values['my-key']")
    expect(page.locator("#evaluated")).to_contain_text("whole number")
    expect(page.locator("#evaluated output")).to_have_text("5")
    page.keyboard.type(" | numb")
    page.locator("#completions").get_by_role("option", name="numberFormat").click()
    expect(page.locator("#expression")).to_have_value("outputs.make.values['my-key'] | numberFormat()")
    page.keyboard.type("'0.0'")
    expect(page.locator("#evaluated output")).to_have_text("5.0")


@pytest.mark.browser
def test_what_was_asked_comes_back_by_keys(browser_page: Any, evaluated: str) -> None:
    from playwright.sync_api import expect

    page = browser_page
    page.goto(f"{evaluated}/evaluator")
    field = page.locator("#expression")
    for expression, gives in (("1 + 1", "2"), ("inputs.name ~ '!'", "Ada!")):
        field.fill(expression)
        page.keyboard.press("Enter")
        expect(page.locator("#evaluated output")).to_have_text(gives)
    page.reload()  # the history is of the tab
    field.fill("half")
    page.keyboard.press("Alt+ArrowUp")
    expect(field).to_have_value("inputs.name ~ '!'")
    page.keyboard.press("Alt+ArrowUp")
    expect(field).to_have_value("1 + 1")
    expect(page.locator("#evaluated output")).to_have_text("2")
    for _ in range(2):
        page.keyboard.press("Alt+ArrowDown")
    expect(field).to_have_value("half")


@pytest.mark.browser
def test_a_value_is_taken_over_with_its_context(browser_page: Any, evaluated: str, axe: Any) -> None:
    from playwright.sync_api import expect

    page = browser_page
    page.goto(f"{evaluated}/outputs?search=left")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#value-head")).to_have_text("one left value")
    expect(page.locator("#value output")).to_have_text("LEFT")
    page.get_by_role("link", name="Evaluate", exact=True).click()
    expect(page.locator("#expression")).to_have_value("outputs.one.left.value")
    expect(page.locator("#as-task")).to_have_value("one")
    expect(page.locator("#as-value")).to_have_value("left")
    expect(page.locator("#evaluated output")).to_have_text("LEFT")
    page.locator("#expression").fill("taskrun.value")
    expect(page.locator("#evaluated output")).to_have_text("left")
    page.locator("#expression").fill("taskrun.valu")
    expect(page.locator("#evaluated .problem")).to_contain_text("did you mean `taskrun.value`?")
    page.keyboard.press("Escape")
    axe(page)


@pytest.mark.browser
def test_parts_of_a_result_open_in_its_place(browser_page: Any, evaluated: str) -> None:
    from playwright.sync_api import expect

    page = browser_page
    page.goto(f"{evaluated}/outputs")
    page.locator("#expression").fill("outputs.make.values.rows")
    expect(page.locator("#evaluated table")).to_be_visible()
    page.locator("#evaluated").get_by_role("link", name="JSON").click()
    expect(page.locator("#evaluated .tree")).to_be_visible()
    assert page.url.endswith(f"{evaluated}/outputs")


@pytest.mark.browser
def test_finding_keeps_the_value_and_copying_says_so(browser_page: Any, evaluated: str) -> None:
    from playwright.sync_api import expect

    page = browser_page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{evaluated}/outputs")
    page.get_by_role("link", name="values.my-key").click()
    expect(page.locator("#value-head")).to_have_text("make values.my-key")
    page.keyboard.press("/")
    page.keyboard.type("righ")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    expect(page.locator("#value-head")).to_have_text("make values.my-key")
    page.get_by_role("button", name="expression").click()
    expect(page.get_by_role("button", name="copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "{{ outputs.make.values['my-key'] }}"
    page.keyboard.press("Escape")


@pytest.mark.browser
def test_on_a_phone_the_chosen_value_comes_into_sight(browser_page: Any, evaluated: str, axe: Any) -> None:
    from playwright.sync_api import expect

    page = browser_page
    page.set_viewport_size({"width": 380, "height": 740})
    page.goto(f"{evaluated}/outputs")
    page.get_by_role("link", name="values.rows").click()
    expect(page.locator("#value table")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    axe(page)
