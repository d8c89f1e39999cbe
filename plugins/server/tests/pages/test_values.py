"""A value is shown by what it is, and never runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from .conftest import Site
from .value_pages import output_of, shown, stored

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>parent.x = 1</script><rect width="9" height="9"/></svg>'


def page_of(output_id: str, **query: Any) -> str:
    return f"/values/{output_id}?{urlencode({'name': 'value', **query})}"


def file_page(uri: str, part: str = "", **query: Any) -> str:
    return f"/values/file{part}?{urlencode({'uri': uri, **query})}"


@pytest.mark.parametrize(
    ("value", "word", "text"),
    [
        (42, "whole number", "42"),
        (1.5, "number", "1.5"),
        (True, "boolean", "true"),
        (None, "null", "null"),
        ("a <b>text</b>", "text", "a <b>text</b>"),
        ("nul\0 and \u202egnp.exe", "text", "nul␀ and \ufffdgnp.exe"),
        (10**400, "whole number", "1" + "0" * 400),
    ],
)
def test_a_scalar_is_shown_with_its_type(site: Site, value: Any, word: str, text: str) -> None:
    found = shown(site, page_of(output_of(site, value)))
    assert (found.one("span", class_="chip").text, found.one("output").text) == (word, text)


def test_an_output_without_a_name_is_shown_whole_and_one_of_another_name_is_missing(site: Site) -> None:
    output = output_of(site, 1)
    assert shown(site, f"/values/{output}").one("ul").text == "value 1"
    with site.client() as client:
        assert client.get(f"/values/{output}?name=nope").status_code == 404
        assert client.get("/values/11111111-1111-1111-1111-111111111111").status_code == 404
        assert client.get("/values/nope").status_code == 404


def test_json_is_a_tree_that_folds(site: Site) -> None:
    found = shown(site, page_of(output_of(site, {"a": {"b": [1, "<i>", None]}, "empty": {}})))
    assert found.one("ul", class_="tree").text == 'a map of 1 b list of 3 0 1 1 <i> 2 null empty empty map'
    assert len(found.all("details", open="")) == 2
    assert found.all("i") == []


def test_each_part_of_a_large_tree_has_an_address(site: Site) -> None:
    value = {"list": list(range(5000)), "a/b~c": {"deep": [[[[[[[[[["end"]]]]]]]]]]}}
    found = shown(site, page_of(output_of(site, value)))
    assert len(found.all("li")) < 150
    rest = shown(site, found.link("4 900 more"))
    assert rest.one("nav", class_="crumbs").text == "all of it list"
    assert rest.one("nav", class_="pages").text == "members 1–100 of 5 000 Further →"
    further = shown(site, rest.link("Further →")).one("ul")
    assert (further.all("li")[0].text, further.all("li")[-1].text) == ("100 100", "199 199")
    deep = shown(site, found.link("Show it alone"))
    assert deep.one("nav", class_="crumbs").text == "all of it a/b~c deep 0 0 0 0 0 0 0 0"
    assert deep.all("ul")[-1].text == "0 end"


def test_a_list_of_maps_is_a_table_that_is_paged_and_sorted(site: Site) -> None:
    output = output_of(site, [{"n": number % 60, "who": f"<{number}>"} for number in range(120)])
    first = shown(site, page_of(output))
    assert [head.text for head in first.one("thead").all("th")] == ["Row", "n whole number", "who text"]
    assert first.rows()[:2] == [["0", "<0>"], ["1", "<1>"]]
    assert len(first.rows()) == 50
    last = shown(site, shown(site, first.link("Further →")).link("Further →"))
    assert (len(last.rows()), last.rows()[-1]) == (20, ["59", "<119>"])
    upwards = shown(site, first.link("n"))
    assert [row[0] for row in upwards.rows()[:3]] == ["0", "0", "1"]
    downwards = shown(site, upwards.link("n ↑"))
    assert [row[0] for row in downwards.rows()[:3]] == ["59", "59", "58"]
    assert downwards.one("th", aria_sort="descending").text == "n ↓ whole number"


def test_columns_are_summed_up_when_that_is_asked_for(site: Site) -> None:
    output = output_of(site, [{"n": number, "who": "ann" if number % 3 else "bob", "x": None} for number in range(9)])
    first = shown(site, page_of(output))
    assert first.all("dl") == []
    columns = [one.text for one in shown(site, first.link("Sum up the columns")).all("dl")]
    assert columns == [
        "values 9 null 0 different 9 smallest 0 largest 8 mean 4",
        "values 9 null 0 different 2 smallest ann largest bob often ann × 6 bob × 3",
        "values 0 null 9 different 0",
    ]


def test_a_cell_is_shown_whole(site: Site) -> None:
    output = output_of(site, [{"n": 2, "t": "x" * 500}, {"n": 1, "t": {"deep": [1]}}])
    ordered = shown(site, page_of(output, sort="n"))
    cell = shown(site, ordered.link("map of 1"))
    assert (cell.one("nav", class_="crumbs").text, cell.all("ul")[0].text) == ("all of it 1 t", "deep list of 1 0 1")
    whole = shown(site, ordered.link("500 characters"))
    assert "x" * 500 in whole.text
    assert [row[0] for row in shown(site, cell.link("all of it")).rows()] == ["2", "1"]


def test_a_text_that_holds_json_is_shown_as_json_and_as_it_stands(site: Site) -> None:
    output = output_of(site, '{"a": {"b": [1, 2]}}')
    found = shown(site, page_of(output))
    assert found.one("p", class_="remark").text == "a text that holds JSON"
    assert shown(site, page_of(output, at="/a/b")).one("ul").text == "0 1 1 2"
    assert shown(site, found.link("Text")).one("output").text == '{"a": {"b": [1, 2]}}'


def test_a_long_text_is_shown_part_by_part(site: Site) -> None:
    found = shown(site, page_of(output_of(site, "a" * 50_000 + "b\n" * 10_000)))
    assert set(found.one("pre").text) == {"a"}
    assert found.one("nav").text == "characters 1–50 000 of 70 000 Further →"
    assert set(shown(site, found.link("Further →")).one("pre").text) == {"b", " "}


def test_markdown_is_shown_without_html_pictures_and_dangerous_links(site: Site) -> None:
    text = (
        "# Title\n\n<script>x = 1</script> [no](javascript:alert(1)) [no](data:text/html,x) [no](/sign-out) "
        "[yes](https://example.com/?a=1&b=2) [mail](mailto:a@b.c) ![cat](https://example.com/cat.png)\n\n"
        "| a | b |\n|--:|---|\n| 1 | 2 |\n\n#### Far below\n\n# Another\n"
    )
    output = output_of(site, text)
    found = shown(site, shown(site, page_of(output)).link("Markdown")).one("div", class_="prose")
    assert [(one.attributes["href"], one.attributes["rel"]) for one in found.all("a")] == [
        ("https://example.com/?a=1&b=2", "noopener noreferrer nofollow"),
        ("mailto:a@b.c", "noopener noreferrer nofollow"),
    ]
    assert (found.all("script"), found.all("img")) == ([], [])
    assert ([one.text for one in found.all("h2")], found.one("h3").text) == (["Title", "Another"], "Far below")
    assert "[picture: cat]" in found.text
    assert found.one("td", class_="right").text == "1"
    assert "style" not in found.one("td", class_="right").attributes


def test_a_text_that_is_a_page_is_shown_in_a_frame_that_can_do_nothing(site: Site) -> None:
    output = output_of(site, "<!doctype html><script>parent.x = 1</script><b>café</b>")
    frame = shown(site, page_of(output)).one("iframe")
    assert frame.attributes["sandbox"] == ""
    with site.client() as client:
        answer = client.get(frame.attributes["src"])
    assert answer.text == "<!doctype html><script>parent.x = 1</script><b>café</b>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'"
    )
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_bytes_are_a_picture_or_their_beginning(site: Site) -> None:
    picture = output_of(site, PNG)
    image = shown(site, page_of(picture)).one("img").attributes["src"]
    with site.client() as client:
        answer = client.get(image)
        refused = client.get(f"/values/{output_of(site, b'abc')}/image?name=value")
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    assert refused.status_code == 422
    assert shown(site, page_of(output_of(site, b"abc"))).one("output").text == "61 62 63"


@pytest.mark.parametrize(
    ("value", "name", "content"),
    [("a text", "value.txt", b"a text"), (b"\0\1", "value.bin", b"\0\1"), ({"a": [1]}, "value.json", b'{"a":[1]}')],
)
def test_a_value_is_downloaded_as_it_is(site: Site, value: Any, name: str, content: bytes) -> None:
    with site.client() as client:
        answer = client.get(shown(site, page_of(output_of(site, value))).link("Download"))
    assert answer.content == content
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"


def test_an_output_that_is_not_there_says_so(site: Site) -> None:
    app = site.app
    execution = app.run("id: none\nnamespace: company.team\ntasks:\n  - {id: log, type: log.Log, message: hello}\n")
    (task,) = app.executions.tasks(execution.id)
    assert shown(site, f"/values/{task.id}").one("p", class_="remark").text == "this task gave no output"


def test_a_file_in_an_output_is_shown_by_what_it_is(site: Site, tmp_path: Path) -> None:
    uri = stored(site, tmp_path, "data.json", b'[{"a": 1, "b": {"c": "<i>"}}]')
    found = shown(site, page_of(output_of(site, uri)))
    assert found.rows() == [["1", "map of 1"]]
    assert shown(site, found.link("map of 1")).one("ul").text == "c <i>"
    assert found.link("Download") == f"/api/v1/files?uri={quote(uri, safe='')}"
    assert found.one("span", class_="mono").text == "data.json"


def test_pictures_pages_and_markdown_of_files(site: Site, tmp_path: Path) -> None:
    png = stored(site, tmp_path, "a.png", PNG)
    svg = stored(site, tmp_path, "a.svg", SVG)
    html = stored(site, tmp_path, "a.html", "<b>café</b>".encode("cp1252"))
    text = stored(site, tmp_path, "a.md", b"*hello*")
    assert shown(site, file_page(text)).one("em").text == "hello"
    with site.client() as client:
        for uri, media in ((png, "image/png"), (svg, "image/svg+xml")):
            answer = client.get(shown(site, file_page(uri)).one("img").attributes["src"])
            assert answer.headers["content-type"].partition(";")[0] == media
            assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        frame = client.get(shown(site, file_page(html)).one("iframe").attributes["src"])
        assert frame.text == "<b>café</b>"
        assert client.get(file_page(text, "/image")).status_code == 422


def test_only_files_of_the_storage_are_shown(site: Site) -> None:
    with site.client() as client:
        for part in ("", "/frame", "/image"):
            assert client.get(file_page("/etc/passwd", part)).status_code == 422
            assert client.get(file_page("storage:///../../etc/passwd", part)).status_code == 403
            assert client.get(file_page("storage:///nope.html", part)).status_code == 404


def test_an_output_that_is_too_large_is_told_by_its_beginning(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    output = output_of(site, "word " * 100)
    monkeypatch.setattr("tailrace_server.showing.values.LARGEST", 100)
    found = shown(site, page_of(output))
    assert found.one("p", class_="remark").text == "too large to be shown here"
    assert found.one("pre").text.startswith('{"value":"word word')
    assert found.link("Download") == f"/api/v1/task-outputs/{output}/output"


def test_nobody_sees_values_and_files_of_another_organization(own_site: Site, tmp_path: Path) -> None:
    output = output_of(own_site, "ours")
    uri = stored(own_site, tmp_path, "ours.html", b"<b>ours</b>")
    own_site.deployment.keys.create_organization("other")
    ours, theirs = own_site.key("viewer"), own_site.key("viewer", "other")
    paths = [page_of(output), *(f"/values/{output}/{part}?name=value" for part in ("frame", "image", "download")),
             file_page(uri), file_page(uri, "/frame"), file_page(uri, "/image")]  # fmt: skip
    with own_site.client(theirs) as client:
        assert [client.get(path).status_code for path in paths] == [404] * 7
    with own_site.client(ours) as client:
        assert [client.get(path).status_code for path in paths] == [200, 200, 422, 200, 200, 200, 422]
    with own_site.client() as client:
        assert {client.get(path).status_code for path in paths} == {303}


def test_halves_of_signs_and_signs_that_turn_texts_round_harm_no_page(site: Site) -> None:
    odd = "\ud800 \u202e\0"
    tree = output_of(site, {odd: {odd: [odd, {"a": odd}]}})
    rows = output_of(site, [{odd: odd * 200, "n": number} for number in range(60)])
    for path in (page_of(tree), page_of(tree, at="/0"), page_of(rows), page_of(rows, summary="true"), f"/values/{rows}"):
        with site.client() as client:
            answer = client.get(path)
        assert answer.status_code in (200, 404)
        assert "\u202e" not in answer.text
        assert "\0" not in answer.text
    assert shown(site, page_of(tree)).all("span", class_="key")[0].text == "? \ufffd␀"


def test_the_choices_of_a_part_are_its_own(site: Site, tmp_path: Path) -> None:
    uri = stored(site, tmp_path, "parts.json", b'{"rows": [{"a": 1}], "map": {"b": 2}}')
    assert [one.text for one in shown(site, file_page(uri)).all("a", data_refresh="")] == ["JSON", "Text"]
    assert shown(site, file_page(uri, at="/map")).one("p", class_="about").text == "map of 1 parts.json 37 B Download"
    part = shown(site, file_page(uri, at="/rows"))
    assert part.one("p", class_="about").text == "list of 1 parts.json 37 B 1 row Table JSON Sum up the columns Download"
