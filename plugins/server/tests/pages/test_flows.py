"""`/flows`: the list, a flow with its source and picture, revisions compared, and the editor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from tailrace_server.pages.differences import difference

from .conftest import Site, open_site

SOURCE = """\
id: shop
namespace: company.sales
description: What the shop <sold>.
tasks:
  - {id: fetch, type: debug.Return, format: "42"}
  - id: each
    type: flow.ForEach
    values: [a, b]
    tasks: [{id: one, type: debug.Return, format: "{{ taskrun.value }}"}]
"""
OTHER = "id: other\nnamespace: company.team\ntasks: [{id: a, type: debug.Return, format: a}]\n"
WRONG = SOURCE.replace("debug.Return, format: \"42\"", "debug.Retrun, format: \"42\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("flows")) as site:
        site.app.flows.push(SOURCE)
        site.app.flows.push(SOURCE.replace("42", "43"))
        site.run(OTHER)
        yield site


def listed(text: str) -> list[str]:
    return re.findall(r'data-main href="/flows/([^"]*)"', text)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["company.sales/shop", "company.team/other"]),
        ("?find=SHO&namespace=", ["company.sales/shop"]),
        ("?find=sales.sh", ["company.sales/shop"]),
        ("?namespace=company.team", ["company.team/other"]),
        ("?namespace=company.*", ["company.sales/shop", "company.team/other"]),
        ("?namespace=compan.*", []),
        ("?find=nothing", []),
        ("?from=99", []),
    ],
)
def test_the_list_is_found_in_by_name_and_namespace(site: Site, query: str, shown: list[str]) -> None:
    assert listed(site.get(f"/flows{query}")) == shown


def test_a_flow_shows_its_source_beside_its_picture_which_leads_to_its_lines(site: Site) -> None:
    text = site.get("/flows/company.sales/shop")
    assert "What the shop &lt;sold&gt;." in text
    assert '<a href="#L5">' in text.partition("<svg class=\"graph\"")[2]
    assert 'id="L5"' in text
    assert "This is an older revision" not in text
    assert 'href="/flows/company.sales/shop/diff?from=1&amp;to=2"' in text


def test_an_older_revision_says_so(site: Site) -> None:
    text = site.get("/flows/company.sales/shop?revision=1")
    assert "This is an older revision" in text
    assert "/flows/company.sales/shop/start?revision=1" in text
    assert "42" in text.partition('id="of-source"')[2]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/flows/company.sales/nothing", 404, "there is no flow company.sales.nothing"),
        ("/flows/company.sales/shop?revision=9", 404, "there is no flow company.sales.shop with revision 9"),
        ("/flows/company.sales/shop?revision=x", 422, "not a whole number"),
        ("/flows/company.sales/nothing/diff", 404, "there is no flow company.sales.nothing"),
        ("/flows/company.sales/nothing/edit", 404, "there is no flow company.sales.nothing"),
    ],
)
def test_what_is_not_there_is_told_as_a_page(site: Site, path: str, status: int, told: str) -> None:
    with site.client() as client:
        answer = client.get(path)
    assert answer.status_code == status
    assert told.lower() in answer.text.lower()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("query", ["", "?from=1&to=2", "?to=2"])
def test_two_revisions_are_compared_line_by_line(site: Site, query: str) -> None:
    text = site.get(f"/flows/company.sales/shop/diff{query}")
    assert "1 line added, 1 line removed" in text
    assert re.findall(r"<(del|ins)>(\d)</\1>", text) == [("del", "2"), ("ins", "3")]
    assert "6 lines alike" not in text


def test_a_flow_with_one_revision_has_no_differences(site: Site) -> None:
    assert "no difference" in site.get("/flows/company.team/other/diff")


# -- lines


def rows(before: str, after: str) -> list[tuple[str, int | None, int | None, str]]:
    return [(one.kind, one.old, one.new, str(one.markup) or str(one.skip)) for one in difference(before, after).lines]


def test_lines_far_from_a_change_are_folded() -> None:
    before = "".join(f"line {number}\n" for number in range(1, 21))
    found = rows(before, before.replace("line 10\n", "line ten\n"))
    assert found == [
        ("skip", None, None, "6"), ("same", 7, 7, "line 7"), ("same", 8, 8, "line 8"), ("same", 9, 9, "line 9"),
        ("removed", 10, None, "line <del>10</del>"), ("added", None, 10, "line <ins>ten</ins>"),
        ("same", 11, 11, "line 11"), ("same", 12, 12, "line 12"), ("same", 13, 13, "line 13"), ("skip", None, None, "7"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("a\nb\n", "a\nb\n", [("skip", None, None, "2")]),
        ("a\nb\n", "b\n", [("removed", 1, None, "a"), ("same", 2, 1, "b")]),
        ("", "<b>\n", [("added", None, 1, "&lt;b&gt;")]),
        ("x\ny", "z\ny", [("removed", 1, None, "x"), ("added", None, 1, "z"), ("same", 2, 2, "y")]),
        ("a<b>c", "a<i>c", [("removed", 1, None, "a&lt;<del>b</del>&gt;c"), ("added", None, 1, "a&lt;<ins>i</ins>&gt;c")]),
        ("aaa", "aaaa", [("removed", 1, None, "aaa"), ("added", None, 1, "aaa<ins>a</ins>")]),
    ],
)
def test_lines_are_escaped_and_what_changed_inside_is_marked(before: str, after: str, found: list[Any]) -> None:
    assert rows(before, after) == found


def test_texts_of_very_many_lines_are_compared_as_one_change() -> None:
    found = difference("a\n" + "x\n" * 5000 + "z", "a\n" + "y\n" * 5001 + "z")
    assert (found.removed, found.added, found.words) == (5000, 5001, "5\u202f001 lines added, 5\u202f000 lines removed")


def test_what_would_take_long_is_compared_as_one_change_and_cut() -> None:
    begun = process_time()
    found = difference("a\nb\n" * 1500, "b\na\na\n" * 1000, shown=100)
    assert process_time() - begun < 1
    assert (len(found.lines), found.more) == (100, 5900)


# -- the editor


def test_the_editor_begins_with_a_flow_that_is_right(site: Site) -> None:
    text = site.get("/flows/new")
    assert "Nothing is wrong" in text
    assert 'class="graph"' in text


def test_checking_says_what_is_wrong_and_where_and_stores_nothing(site: Site) -> None:
    answer = site.post("/flows/company.sales/shop/edit", source=WRONG, base="2", act="check")
    assert answer.status_code == 200
    assert re.findall(r'data-line="(\d+)" data-column="(\d+)"', answer.text)[0] == ("5", "23")
    assert "debug.Retrun" in answer.text.partition('class="problems"')[2]
    assert "1 error" in answer.text
    assert site.app.flows.get("company.sales", "shop").revision == 2


def test_what_is_wrong_is_not_stored_and_what_was_typed_stays(site: Site) -> None:
    answer = site.post("/flows/company.sales/shop/edit", source=WRONG, base="2", act="save")
    assert answer.status_code == 422
    assert "the flow has errors" in answer.text
    assert "debug.Retrun, format: &#34;42&#34;" in answer.text
    assert site.app.flows.get("company.sales", "shop").revision == 2


def test_a_source_is_saved_as_a_new_revision_and_the_audit_tells_who(own_site: Site) -> None:
    own_site.app.flows.push(SOURCE)
    answer = own_site.post("/flows/company.sales/shop/edit", source=SOURCE.replace("42", "44").replace("\n", "\r\n"),
                           base="1", act="save")  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, "/flows/company.sales/shop")
    stored = own_site.app.flows.get("company.sales", "shop")
    assert (stored.revision, stored.source) == (2, SOURCE.replace("42", "44"))
    with own_site.client() as client:
        row = client.get("/api/v1/audit", headers={"Accept": "application/json"}).json()["data"][0]
    assert (row["action"], row["subject"], row["actor"]) == ("flow.put", "company.sales.shop", "local")


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(own_site: Site) -> None:
    own_site.app.flows.push(SOURCE)
    own_site.app.flows.push(SOURCE.replace("42", "43"))
    mine = SOURCE.replace("42", "44")
    answer = own_site.post("/flows/company.sales/shop/edit", source=mine, base="1", act="save")
    assert answer.status_code == 409
    assert "company.sales.shop has a revision 2 by now" in answer.text
    assert 'name="base" value="2"' in answer.text
    again = own_site.post("/flows/company.sales/shop/edit", source=mine, base="2", act="save")
    assert again.status_code == 303
    assert own_site.app.flows.get("company.sales", "shop").revision == 3


def test_a_new_flow_does_not_overwrite_one_of_its_name_unseen(site: Site) -> None:
    answer = site.post("/flows/new", source=SOURCE, base="0", act="save")
    assert answer.status_code == 409
    assert "company.sales.shop has a revision 2 by now" in answer.text


def test_the_source_of_another_flow_is_refused(site: Site) -> None:
    answer = site.post("/flows/company.sales/shop/edit", source=OTHER, base="2", act="save")
    assert answer.status_code == 422
    assert "the source is that of company.team.other" in answer.text


def test_a_viewer_reads_and_does_not_edit(own_site: Site) -> None:
    own_site.app.flows.push(SOURCE)
    key = own_site.key("viewer")
    with own_site.client(key) as client:
        text = client.get("/flows/company.sales/shop").text
        assert "Edit…" not in text
        assert "Start…" not in text
        assert client.get("/flows/company.sales/shop/edit").status_code == 403
        assert client.post("/flows/new", data={"source": SOURCE, "act": "save"}).status_code == 403


def test_flows_of_another_organization_are_not_there(tmp_path: Path) -> None:
    with open_site(tmp_path / "two", keys=("default", "other")) as site:
        site.app.flows.push(SOURCE)
        with site.client(site.key("admin", "other")) as client:
            assert listed(client.get("/flows").text) == []
            assert client.get("/flows/company.sales/shop").status_code == 404
            assert client.get("/flows/company.sales/shop/diff").status_code == 404


# -- in the browser


@pytest.mark.browser
def test_the_checker_speaks_while_one_types_and_puts_the_cursor_there(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/flows/company.sales/shop/edit")
    field = browser_page.get_by_label("Source, in YAML")
    expect(browser_page.locator("#checked")).to_have_text("Nothing is wrong")
    field.fill(WRONG)
    expect(browser_page.locator("#checked")).to_have_text("1 error")
    expect(browser_page.locator(".lines .error")).to_have_text("5")
    browser_page.locator(".problems a").first.click()
    expect(field).to_be_focused()
    assert field.evaluate("field => field.value.slice(field.selectionStart).split('\\n')[0]").startswith("debug.Retrun")
    browser_page.keyboard.type('debug.Return, format: "45"}')
    expect(browser_page.locator("#checked")).to_have_text("Nothing is wrong")
    expect(browser_page.locator("svg.graph text.name").first).to_have_text("fetch")


@pytest.mark.browser
def test_keys_indent_and_save(own_site: Site, browser: Any) -> None:
    from playwright.sync_api import expect

    from .conftest import opened

    own_site.app.flows.push(SOURCE)
    with opened(browser, own_site.url) as page:
        page.goto("/flows/company.sales/shop/edit")
        field = page.get_by_label("Source, in YAML")
        field.focus()
        page.keyboard.press("Control+End")
        for text in ("outputs:", "- id: found", "type: STRING", 'value: "{{ outputs.fetch.value }}"'):
            page.keyboard.type(text)
            page.keyboard.press("Enter")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Control+s")
        expect(page).to_have_url(f"{own_site.url}/flows/company.sales/shop")
    source = own_site.app.flows.get("company.sales", "shop").source
    assert source == SOURCE + (
        'outputs:\n  - id: found\n    type: STRING\n    value: "{{ outputs.fetch.value }}"\n  '
    )


@pytest.mark.browser
def test_tab_leaves_the_field_after_escape(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/flows/new")
    field = browser_page.get_by_label("Source, in YAML")
    field.focus()
    browser_page.keyboard.press("Escape")
    browser_page.keyboard.press("Tab")
    expect(browser_page.get_by_role("button", name="Save")).to_be_focused()


@pytest.mark.browser
def test_the_list_is_found_in_as_one_types(site: Site, browser_page: Any) -> None:
    from playwright.sync_api import expect

    browser_page.goto("/flows")
    browser_page.keyboard.press("/")
    browser_page.keyboard.type("sho")
    expect(browser_page.locator("tbody tr")).to_have_count(1)
    expect(browser_page).to_have_url(re.compile(r"/flows\?find=sho$"))
