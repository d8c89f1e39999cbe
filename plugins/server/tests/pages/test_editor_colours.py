"""The editor's field in colour: the same words as on the page of the source, in their places, also far down."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from tailrace_server.drawing.highlight import source_html

pytestmark = pytest.mark.browser
LABEL = "Source, in YAML"
TRICKY = """# what is said of all of it
id: größe   # and of one line
namespace: "company.{{ team }}"
"a key": 'it''s' # not: a key
labels: {team: sales, count: 3, none: ~, yes: true, time: 10:30}
tasks:
  - id: block
    type: debug.Return
    format: |
      key: "{{ inputs.a }}" # no comment here
      {% if x %} <b>&amp;</b> {% endif %

      more
  - {id: after, type: log.Log, message: "to {{ inputs.b }} and \\" more"}
  - &anchor
    <<: *anchor
    sql: SELECT 'a' FROM b WHERE c > 1 -- {{ inputs.c
    folded: >-
      text: 1
    last: -1.5
"""
PUT = "(field, text) => { field.value = text; field.dispatchEvent(new InputEvent('input', {bubbles: true})); }"
COLOURED = (
    """() => [...document.querySelectorAll('.colours [class^=y-]')].map((one) => [one.className, one.textContent])"""
)


def coloured(html: str) -> list[list[str]]:
    """The words of a source and what they are, the outer ones first."""
    found: list[list[str]] = []
    open_at: list[int] = []
    for tag, name, text in re.findall(r'<(/?span)(?: class="([^"]*)"[^>]*)?>|([^<]+)', html):
        if tag == "span":
            open_at.append(len(found))
            found.append([name, ""])
        elif tag:
            open_at.pop()
        for at in open_at:
            found[at][1] += unescape(text)
    return [one for one in found if one[0].startswith("y-")]


def test_words_have_the_colours_of_the_page_of_the_source(browser_page: Any) -> None:
    browser_page.goto("/flows/new")
    browser_page.get_by_label(LABEL).fill(TRICKY)
    found = browser_page.evaluate(COLOURED)
    assert found == coloured(source_html(TRICKY))
    assert {name for name, _ in found} == {
        "y-comment", "y-key", "y-text", "y-expression", "y-number", "y-anchor"
    }  # fmt: skip
    layer = browser_page.evaluate("document.querySelector('.colours').innerText.trimEnd()")
    assert layer == TRICKY.rstrip()


def test_colours_follow_what_is_typed(browser_page: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/flows/new")
    field = browser_page.get_by_label(LABEL)
    field.fill("")
    field.press_sequentially("id: {{ a }}")
    expect(browser_page.locator(".colours .y-key")).to_have_text("id")
    expect(browser_page.locator(".colours .y-expression")).to_have_text("{{ a }}")
    field.press("ControlOrMeta+z")
    assert browser_page.locator(".colours").inner_text().strip() == field.input_value().strip()


def test_a_long_source_is_coloured_where_it_is_seen(browser_page: Any) -> None:
    browser_page.goto("/flows/new")
    field = browser_page.get_by_label(LABEL)
    lines = ["text: |", *(f'  line {number} "{{{{ a }}}}"' for number in range(2000)), f"key: {'x' * 900}", "last: 7"]
    field.evaluate(PUT, "\n".join(lines))
    field.evaluate("(field) => { field.scrollTop = field.scrollHeight; field.scrollLeft = 60; }")
    browser_page.wait_for_function("document.querySelector('.colours').innerText.trimEnd().endsWith('last: 7')")
    seen = browser_page.evaluate(COLOURED)
    assert seen[-3:] == [["y-key", "key"], ["y-key", "last"], ["y-number", "7"]]
    assert len(seen) < 300  # of 2000 expressions those that are near
    last, top, left = browser_page.evaluate("""() => {
        const field = document.querySelector('textarea'), box = field.getBoundingClientRect();
        const word = [...document.querySelectorAll('.colours .y-key')].at(-1).getBoundingClientRect();
        const middle = (word.top + word.bottom) / 2 - box.top + field.scrollTop - parseFloat(getComputedStyle(field).paddingTop);
        return [field.value.split("\\n").length - 1, middle / 20, word.left - box.left];
    }""")
    assert int(top) == last
    assert left < 0  # it went to the side with the field


@pytest.mark.parametrize(
    "text", ["x" * 5000, "a: " + "'" * 1900, "\n" * 130_000, "\n".join(["a:" + " " * 1990 + "b"] * 200)]
)
def test_what_is_very_long_is_shown_all_the_same(browser_page: Any, text: str) -> None:
    browser_page.set_viewport_size({"width": 1280, "height": 2200})
    browser_page.goto("/flows/new")
    browser_page.get_by_label(LABEL).evaluate(PUT, text)
    shown = browser_page.evaluate("document.querySelector('.colours > span').textContent.slice(0, 1900)")
    assert shown == f"{text}\n"[: len(shown)]
    assert len(shown) >= min(len(text), 40)


def test_a_source_is_seen_once_also_where_it_is_too_long_for_colours(browser_page: Any) -> None:
    browser_page.goto("/flows/new")
    field = browser_page.get_by_label(LABEL)
    field.fill("a: 1")
    layer = "document.querySelector('.colours').textContent"
    seen = browser_page.evaluate(layer)
    field.evaluate(PUT, f"x: {'y' * 2000}\n" * 1000)
    assert (seen, browser_page.evaluate(layer)) == ("a: 1\n", "")
    own = "(field) => getComputedStyle(field).webkitTextFillColor"
    assert field.evaluate(own) == field.evaluate("(field) => getComputedStyle(field).color")


def test_a_browser_without_the_patterns_shows_one_colour(browser_page: Any) -> None:
    browser_page.route("**/colours.js", lambda route: route.fulfill(body="/(?<", content_type="text/javascript"))
    browser_page.goto("/flows/new")
    field = browser_page.get_by_label(LABEL)
    with browser_page.expect_response("**/flows/new"):  # the checker's answer: the script lives
        field.fill(TRICKY)
    assert field.evaluate("(field) => getComputedStyle(field).webkitTextFillColor") == field.evaluate(
        "(field) => getComputedStyle(field).color"
    )


def test_the_layer_is_no_second_text_for_who_listens(browser_page: Any, axe: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/flows/new")
    browser_page.get_by_label(LABEL).fill(TRICKY)
    expect(browser_page.locator(".colours .y-anchor").first).to_be_visible()
    assert browser_page.locator(".editor").aria_snapshot().count("team: sales") == 1
    axe(browser_page)
