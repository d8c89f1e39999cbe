"""`/compare`: two executions side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from core.app import comparison
from core.app.comparing import Room

from .conftest import Site, open_site

SOURCE = """\
id: prices
namespace: company.sales
inputs: [{id: price, type: FLOAT}, {id: more, type: BOOL, defaults: false}]
tasks:
  - {id: fixed, type: debug.Return, format: always}
  - {id: table, type: output.OutputValues, values: {rows: [{id: 1, price: "{{ inputs.price }}"}, {id: 2, price: 2}]}}
  - {id: letter, type: debug.Return, format: "Dear <reader>,\\nit is {{ inputs.price }}.\\nBye"}
  - {id: file, type: storage.Write, content: "id,price\\n1,{{ inputs.price }}\\n", extension: .csv}
  - {id: each, type: flow.ForEach, values: '["a","<b>"]', tasks: [
      {id: one, type: debug.Return, format: "{{ taskrun.value }}{{ taskrun.value == 'a' ? '' : inputs.price }}"}]}
  - {id: extra, type: debug.Return, runIf: "{{ inputs.more }}", format: new}
outputs: [{id: price, type: FLOAT, value: "{{ inputs.price }}"}]
"""


@frozen
class Two:
    """Two executions of a flow."""

    site: Site
    first: str
    second: str

    def address(self, **more: str) -> str:
        query = "".join(f"&{name}={value}" for name, value in more.items())
        return f"/compare?first={self.first}&second={self.second}{query}"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with open_site(tmp_path_factory.mktemp("compare")) as site:
        yield Two(site, site.run(SOURCE, {"price": 1.5}).id, site.run(SOURCE, {"price": 3, "more": True}).id)


def values(text: str) -> list[tuple[str, str]]:
    """The task and the change of each value that is shown."""
    return re.findall(r'scope="rowgroup">([^ <]+)[^\n]* <span class="chip (\w+)">', text)


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_what_differs_is_shown_changed_values_first(two: Two) -> None:
    text = two.site.get(two.address())
    assert values(text) == [
        ("table", "changed"), ("letter", "changed"), ("file", "changed"), ("one", "changed"), ("extra", "added"),
    ]  # fmt: skip
    words = plain(text)
    assert "Inputs price 1.5 3.0 more false true Outputs of the flow price 1.5 3.0" in words
    assert "4 changed · 1 added · 0 removed · 2 same" in words
    assert "rows: 2 rows, 1 changed, matched by id rows[id=1].price 1.5 3.0" in words
    assert "1 row, 1 changed, matched by id [id=1].price 1.5 3.0" in words
    assert "one &lt;b&gt; value changed &lt;b&gt;1.5 &lt;b&gt;3.0" in words
    assert "extra value added none new" in words
    assert "<del>1.5</del>" in text


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"change": "same"}, [("fixed", "same"), ("one", "same")]),
        ({"change": "added"}, [("extra", "added")]),
        ({"change": "removed"}, []),
        ({"find": "LETT"}, [("letter", "changed")]),
        ({"find": "uri"}, [("file", "changed")]),
        ({"find": "", "change": "", "from": "4"}, [("extra", "added")]),
    ],
)
def test_values_are_found_by_change_and_name(two: Two, more: dict[str, str], shown: list[Any]) -> None:
    assert values(two.site.get(two.address(**more))) == shown


def test_whole_values_are_a_click_away(two: Two) -> None:
    text = two.site.get(two.address(find="table"))
    addresses = re.findall(r'href="(/values/[^"]*)"', text)
    assert len(addresses) == 2
    for address in addresses:
        assert "price" in two.site.get(address.replace("&amp;", "&"))


def test_an_execution_and_itself_are_the_same(two: Two) -> None:
    text = two.site.get(f"/compare?first={two.first}&second={two.first}")
    assert "Nothing differs: what came out is the same." in text


def test_another_execution_of_the_flow_can_be_chosen(two: Two) -> None:
    text = two.site.get(f"/compare?first={two.second}")
    assert f'href="/compare?first={two.first}&amp;second={two.second}"' in text  # the older one first
    assert "By their ids" in two.site.get("/compare")


def test_other_revisions_of_the_flow_lead_to_their_differences(own_site: Site) -> None:
    first = own_site.run(SOURCE, {"price": 1})
    second = own_site.run(SOURCE.replace("always", "often"), {"price": 1})
    text = own_site.get(f"/compare?first={first.id}&second={second.id}")
    assert 'href="/flows/company.sales/prices/diff?from=1&amp;to=2"' in text
    assert values(text) == [("fixed", "changed")]


def test_many_values_are_shown_page_by_page(own_site: Site) -> None:
    source = """\
id: many
namespace: company.sales
inputs: [{id: by, type: INT}]
tasks:
  - {id: each, type: flow.ForEach, values: "{{ range(1, 120) }}", tasks: [
      {id: one, type: debug.Return, format: "{{ inputs.by }}"}]}
"""
    first, second = (own_site.run(source, {"by": by}).id for by in (1, 2))
    text = own_site.get(f"/compare?first={first}&second={second}")
    assert len(values(text)) == 100
    following = re.findall(r'href="([^"]*)" rel="next"', text)[0].replace("&amp;", "&")
    assert len(values(own_site.get(following))) == 20


def test_of_many_long_texts_only_some_are_compared_line_by_line(own_site: Site) -> None:
    source = """\
id: texts
namespace: company.sales
inputs: [{id: by, type: INT}]
tasks:
  - {id: each, type: flow.ForEach, values: "{{ range(1, 30) }}", tasks: [
      {id: one, type: debug.Return, format: "{{ 'x\\n'.repeat(300) }}{{ inputs.by }}\\n"}]}
"""
    first, second = (own_site.run(source, {"by": by}).id for by in (1, 2))
    text = own_site.get(f"/compare?first={first}&second={second}")
    assert len(values(text)) == 30
    assert text.count("297 lines alike") == 20


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?first=last", 404),
        ("?first=01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11", 404),
        ("?first={first}&second=01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11", 404),
        ("?first={first}&second={second}&change=other", 422),
    ],
)
def test_what_is_not_there_is_refused(two: Two, query: str, status: int) -> None:
    with two.site.client() as client:
        assert client.get("/compare" + query.format(first=two.first, second=two.second)).status_code == status


def test_executions_of_another_organization_are_not_there(tmp_path: Path) -> None:
    with open_site(tmp_path / "two", keys=("default", "other")) as site:
        first, second = site.run(SOURCE, {"price": 1}).id, site.run(SOURCE, {"price": 2}).id
        with site.client(site.key("admin", "other")) as client:
            assert client.get(f"/compare?first={first}&second={second}").status_code == 404
            assert client.get(f"/api/v1/flow-executions/{first}/compare?with={second}").status_code == 404
            assert client.get(f"/compare?first={first}").status_code == 404


@pytest.mark.browser
def test_values_are_found_as_one_types(two: Two, browser: Any) -> None:
    from playwright.sync_api import expect

    from .conftest import opened

    with opened(browser, two.site.url) as page:
        page.goto(two.address())
        page.get_by_label("Find").fill("letter")
        expect(page.locator("tr.of", has_text="changed")).to_have_count(1)
        page.get_by_role("link", name="1 added").click()
        expect(page.locator("tr.of", has_text="extra")).to_be_visible()
        page.go_back()
        expect(page.locator("tr.of", has_text="letter")).to_be_visible()


def test_it_is_said_how_far_very_large_tables_were_looked_at(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ", ".join(f'{{id: {n}, price: "{{{{ inputs.price }}}}"}}' for n in (1, 2, 3))
    source = f"""\
id: tables
namespace: company.sales
inputs: [{{id: price, type: INT}}]
tasks:
  - {{id: table, type: output.OutputValues, values: {{rows: [{rows}]}}}}
"""
    first, second = (own_site.run(source, {"price": price}).id for price in (1, 2))
    address = f"/compare?first={first}&second={second}"
    monkeypatch.setattr(comparison, "Room", lambda: Room(8))
    told = "rows: 3 rows, 2 changed, matched by id, only the first 2 rows of each were looked at rows[id=1].price 1 2"
    assert told in plain(own_site.get(address))
    monkeypatch.setattr(comparison, "Room", lambda: Room(0))
    text = own_site.get(address)
    assert (values(text), "too large to be compared inside" in text) == ([("table", "changed")], True)
