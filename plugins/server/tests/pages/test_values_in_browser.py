"""Values in the real browser: what a flow made neither runs nor hangs, and everybody can read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from .conftest import Site, opened
from .value_pages import output_of, stored

pytestmark = pytest.mark.browser
RAN = "globalThis.ran || document.documentElement.dataset.ran || ''"
"""What scripts of the attacks would leave behind."""
RUN = "top.ran = parent.ran = globalThis.ran = 'yes'; document.documentElement.dataset.ran = 'yes'"
SCRIPTS = (
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'"><svg onload="{RUN}">',
    f"</pre></script><script>{RUN}</script>",
    f"javascript:{RUN}",
    "{{ 7 * 7 }}{% raw %}",
)


def value_page(output_id: str, **query: Any) -> str:
    return f"/values/{output_id}?{urlencode({'name': 'value', **query})}"


def file_page(uri: str) -> str:
    return f"/values/file?{urlencode({'uri': uri})}"


def test_a_tree_is_unfolded_where_it_stands(site: Site, browser_page: Any) -> None:
    deep: Any = {"name": "found"}
    for level in range(14):
        deep = {f"level {level}": deep}
    browser_page.goto(value_page(output_of(site, deep)))
    address = browser_page.url
    for level in range(13, -1, -1):
        fold = browser_page.locator("details", has=browser_page.get_by_text(f"level {level}", exact=True)).last
        if fold.get_attribute("open") is None:
            fold.locator("> summary").press("Enter")
    browser_page.get_by_text("found", exact=True).wait_for()
    assert browser_page.url == address


def test_a_table_is_paged_and_sorted_without_loading_the_page_anew(site: Site, browser_page: Any) -> None:
    output = output_of(site, [{"n": number, "who": f"somebody {number}"} for number in range(120)])
    browser_page.goto(value_page(output))
    browser_page.evaluate("globalThis.same = true")
    browser_page.get_by_role("link", name="Further →").click()
    browser_page.get_by_role("cell", name="somebody 99", exact=True).wait_for()
    browser_page.get_by_role("link", name="n", exact=True).click()
    browser_page.get_by_role("link", name="n ↑").click()
    browser_page.get_by_role("columnheader", name="n ↓").wait_for()
    assert browser_page.locator("tbody tr").first.inner_text().split() == ["1", "119", "somebody", "119"]
    assert browser_page.evaluate("globalThis.same")
    browser_page.go_back()
    browser_page.get_by_role("columnheader", name="n ↑").wait_for()


@pytest.mark.parametrize("form", ["text", "json", "table", "markdown", "html"])
def test_no_text_of_a_flow_runs(site: Site, browser: Any, form: str) -> None:
    attacks = "\n\n".join(f"{text} [click]({text}) <a href='javascript:{RUN}'>me</a>" for text in SCRIPTS)
    values = {
        "text": attacks, "markdown": attacks, "html": f"<!doctype html>{attacks}<meta http-equiv=refresh content=0;/>",
        "json": {text: [text, {text: text}] for text in SCRIPTS}, "table": [dict.fromkeys(SCRIPTS, text) for text in SCRIPTS],
    }  # fmt: skip
    page = browser.new_page(base_url=site.url)
    try:
        page.goto(value_page(output_of(site, values[form]), **{"as": form}))
        page.wait_for_load_state("networkidle")
        assert [frame.evaluate(RAN) for frame in page.frames if frame == page.main_frame] == [""]
        assert page.url.startswith(site.url + "/values/")
        for link in page.locator("#value a").all():
            assert (link.get_attribute("href") or "").startswith(("/", "https://", "mailto:"))
        if form == "html":
            frame = page.frames[1]
            assert frame.url.startswith(f"{site.url}/values/")
            assert frame.locator("script").first.count() == 1  # it is there, and was not run
            assert page.evaluate("document.querySelector('iframe').contentDocument") is None
    finally:
        page.close()


def test_a_picture_with_a_script_is_a_picture(site: Site, browser: Any, tmp_path: Path) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><script>{RUN}</script></svg>'
    uri = stored(site, tmp_path, "attack.svg", svg.encode())
    page = browser.new_page(base_url=site.url)
    try:
        page.goto(file_page(uri))
        image = page.locator("#value img")
        assert image.evaluate("async image => { await image.decode(); return image.naturalWidth }") == 40
        page.goto(image.get_attribute("src"))  # by itself it does not run either
        assert page.evaluate(RAN) == ""
    finally:
        page.close()


def test_what_is_huge_is_there_in_a_moment(site: Site, browser_page: Any, tmp_path: Path) -> None:
    deep = b"[" * 1_000_000 + b"]" * 1_000_000
    wide = json.dumps({f"key {number}": number for number in range(1_000_000)}).encode()
    cell = "line,text\n" + "".join(f"{number},{'x' * 1_000_000}\n" for number in range(12))
    for name, content, shown in (
        ("deep.json", deep, "it is nested too deeply"),
        ("wide.json", wide, "members 1–100 of 1 000 000"),
        ("cells.csv", cell.encode(), "1 000 000 characters"),
    ):
        uri = stored(site, tmp_path, name, content)
        browser_page.goto(file_page(uri))
        browser_page.get_by_text(shown).first.wait_for()
        assert browser_page.evaluate("document.querySelectorAll('*').length") < 3000


def test_everybody_can_read_it(
    site: Site, browser_page: Any, axe: Callable[[Any], None], tmp_path: Path
) -> None:
    text = "# Title\n\ntext [link](https://example.com)\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```\ncode\n```\n"
    rows = [{"n": number, "text": "word " * 60, "map": {"a": 1}, "none": None} for number in range(6)]
    pages = [
        value_page(output_of(site, {"a": {"b": [1, "two", None, True]}, "long": list(range(150))})),
        value_page(output_of(site, rows)),
        value_page(output_of(site, rows), summary="true", sort="-n"),
        value_page(output_of(site, text), **{"as": "markdown"}),
        value_page(output_of(site, text)),
        value_page(output_of(site, "<!doctype html><html lang=en><title>x</title><h1>Hello</h1>")),
        file_page(stored(site, tmp_path, "a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>')),
    ]
    for address in pages:
        browser_page.goto(address)
        axe(browser_page)


def test_it_is_read_on_a_phone_without_scrolling_sideways(site: Site, browser: Any) -> None:
    rows = [{f"column {number}": "word " * 9 for number in range(12)}] * 3
    with opened(browser, site.url, java_script_enabled=False) as page:
        page.set_viewport_size({"width": 380, "height": 800})
        for value in (rows, {"key": "x" * 5000}, "y" * 9000, "long/" * 60):
            page.goto(value_page(output_of(site, value)))
            assert page.locator("html").evaluate("html => html.scrollWidth - html.clientWidth") <= 0
