"""Files that are tables, well-formed or not, are shown page by page, and never for long."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow
import pyarrow.parquet
import pytest

from .conftest import Site
from .value_pages import Element, shown, stored

HANGS = 20.0
"""Seconds after which something hangs; it takes one at most on a quiet machine."""
"""How much slower a machine may be that has other things to do."""


def file_page(uri: str, **query: Any) -> str:
    return f"/values/file?{urlencode({'uri': uri, **query})}"


def table_of(site: Site, folder: Path, name: str, content: bytes, **query: Any) -> Element:
    return shown(site, file_page(stored(site, folder, name, content), **query))


def heads(found: Element) -> list[str]:
    return [head.text for head in found.one("thead").all("th")[1:]]


def remark(found: Element) -> str:
    return " ".join(one.text for one in found.all("p", class_="remark"))


@pytest.mark.parametrize(
    ("name", "content", "columns", "rows", "note"),
    [
        ("plain.csv", b"code,n,x\n007,1,a\n008,2.5,\n", ["code text", "n number", "x text"],
         [["007", "1", "a"], ["008", "2.5", "null"]], ""),
        ("quoted.csv", b'a,b\r\n"x ""y"", z","two\nlines"\r\n', ["a text", "b text"], [['x "y", z', "two lines"]], ""),
        ("semicolon.csv", b"a;b\n1;2\n", ["a whole number", "b whole number"], [["1", "2"]], ""),
        ("tabs.tsv", b"a\tb\n1\t2\n", ["a whole number", "b whole number"], [["1", "2"]], ""),
        ("bom.csv", b"\xef\xbb\xbfa\n2025-01-01\n", ["a date"], [["2025-01-01"]], ""),
        ("head.csv", b"a,b\n", ["a text", "b text"], [], ""),
        ("twice.csv", b"a,A,\n1,2,true\n", ["a whole number", "A (2) whole number", "column 3 boolean"],
         [["1", "2", "true"]], ""),
        ("ragged.csv", b"a,b\n1\n2,3,4\n", ["a whole number", "b whole number", "column 3 whole number"],
         [["1", "null", "null"], ["2", "3", "4"]], ""),
        ("latin.csv", "a,b\ncafé,1\n".encode("latin-1"), ["a text", "b whole number"], [["café", "1"]],
         "it is not UTF-8, and read as Latin-1"),
        ("nul.csv", b"a,b\nx\0y,1\n", ["a text", "b whole number"], [["x␀y", "1"]], ""),
        ("markup.csv", b"<b>a</b>\n<script>x = 1</script>\n", ["<b>a</b> text"], [["<script>x = 1</script>"]], ""),
        ("sql.csv", b"a\"); DROP,'b\n1,2\n", ['a"); DROP whole number', "'b whole number"], [["1", "2"]], ""),
        ("a.jsonl", b'{"a": 1, "b": {"c": "<i>"}}\n\n{"a": null, "d/~e": "x"}\n',
         ["a whole number", "b map", "d/~e text"], [["1", "map of 1", "null"], ["null", "null", "x"]], ""),
        ("broken.ndjson", b'{"a": 1}\n{"a": \n\xff\n[1]\n"x"\n', ["a whole number", "value mixed"],
         [["1", "null"], ["null", '{"a":'], ["null", "ÿ"], ["null", "list of 1"], ["null", "x"]],
         "it is not UTF-8, and read as Latin-1"),
        ("deep.jsonl", b'{"a": 1}\n' + b"[" * 100_000 + b"\n", ["a whole number", "value mixed"],
         [["1", "null"], ["null", "[" * 200 + "… 100 000 characters"]], ""),
    ],
)  # fmt: skip
def test_a_file_is_read_as_a_table(
    site: Site, tmp_path: Path, name: str, content: bytes, columns: list[str], rows: list[list[str]], note: str
) -> None:
    found = table_of(site, tmp_path, name, content)
    assert (heads(found), found.rows(), remark(found)) == (columns, rows, note)


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("empty.csv", b"", "not shown as a table: it has no rows"),
        ("a.ion", b"{a: 1}\n", "not shown as a table: it has no rows"),
        ("any.csv", bytes(range(256)) * 100, "not shown as a table: Invalid Input Error: File is not latin-1 encoded"),
    ],
)
def test_what_is_no_table_is_shown_as_text_with_the_reason(
    site: Site, tmp_path: Path, name: str, content: bytes, note: str
) -> None:
    found = table_of(site, tmp_path, name, content)
    assert (remark(found), found.all("table")) == (note, [])


def test_what_is_no_parquet_is_a_file_to_be_downloaded_and_its_place_is_not_told(site: Site, tmp_path: Path) -> None:
    found = table_of(site, tmp_path, "a.parquet", b"PAR1 not at all")
    assert remark(found).startswith("not shown as a table: Invalid Input Error: ")
    assert str(site.app.settings.home) not in found.text
    assert found.link("Download").startswith("/api/v1/files?uri=")


@pytest.mark.parametrize("content", [b'a,b\n1,"open\n2,x\n3,y\n', b'a,b\n1,"x"y"\n2,z\n'])
def test_quotes_that_are_not_closed_lose_nothing(site: Site, tmp_path: Path, content: bytes) -> None:
    text = table_of(site, tmp_path, "quotes.csv", content).text
    assert all(word in text for word in content.decode().replace('"', " ").replace(",", " ").split())


def test_rows_are_paged_and_sorted_as_what_they_are(site: Site, tmp_path: Path) -> None:
    lines = "".join(f"{number},w{number % 7}\n" for number in range(120))
    uri = stored(site, tmp_path, "numbers.csv", f"n,w\n{lines}".encode())
    first = shown(site, file_page(uri))
    assert first.one("nav", class_="pages").text == "rows 1–50 Further →"
    last = shown(site, shown(site, first.link("Further →")).link("Further →"))
    assert (last.rows()[0][0], len(last.rows())) == ("100", 20)
    upwards = shown(site, first.link("n"))
    assert [row[0] for row in upwards.rows()[:3]] == ["0", "1", "2"]
    downwards = shown(site, upwards.link("n ↑"))
    assert [row[0] for row in downwards.rows()[:3]] == ["119", "118", "117"]
    assert shown(site, file_page(uri, sort="nobody")).rows()[0][0] == "0"


@pytest.mark.parametrize("name", ["numbers.csv", "numbers.jsonl", "numbers.parquet"])
def test_columns_of_a_file_are_summed_up(site: Site, tmp_path: Path, name: str) -> None:
    rows = [{"n": number, "w": "even" if number % 2 == 0 else "odd"} for number in range(9)]
    if name.endswith(".csv"):
        content = b"n,w\n" + b"".join(f"{row['n']},{row['w']}\n".encode() for row in rows)
    elif name.endswith(".jsonl"):
        content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    else:
        content = parquet(tmp_path, pyarrow.Table.from_pylist(rows))
    found = shown(site, table_of(site, tmp_path, name, content).link("Sum up the columns"))
    assert [one.text for one in found.all("dl")] == [
        "values 9 null 0 different 9 smallest 0 largest 8 mean 4",
        "values 9 null 0 different 2 smallest even largest odd often even × 5 odd × 4",
    ]


def test_values_that_are_not_of_their_column_are_counted(site: Site, tmp_path: Path) -> None:
    content = b"n\n" + b"1\n" * 2000 + b"many\n" * 3
    found = table_of(site, tmp_path, "late.csv", content, summary="true")
    assert found.one("dl").text == "values 2 003 null 0 different 2 no whole number 3 smallest 1 largest 1 mean 1 often 1 × 2000 many × 3"


def test_parquet_is_shown_with_its_own_types(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pytz", None)  # DuckDB would need it for times with a zone
    zoned = pyarrow.timestamp("us", tz="Europe/Oslo")
    table = pyarrow.table({
        "d": [Decimal("1.10")], "l": [[1, 2]], "m": [{"x": "<i>"}], "b": [b"\0<"], "none": pyarrow.nulls(1),
        "t": pyarrow.array([0], pyarrow.timestamp("us")), "far": pyarrow.array([2**62], pyarrow.timestamp("us")),
        "zone": pyarrow.array([0], zoned), "zones": pyarrow.array([[0]], pyarrow.list_(zoned)), "yes": [True],
        "inf": [float("inf")], "day": pyarrow.array([0], pyarrow.date32()), "u": pyarrow.array([2**64 - 1], pyarrow.uint64()),
    })  # fmt: skip
    found = table_of(site, tmp_path, "types.parquet", parquet(tmp_path, table), summary="true")
    assert [(one.all("a")[0].text, one.one("span").text) for one in found.one("thead").all("th")[1:]] == [
        ("d", "number"), ("l", "list"), ("m", "map"), ("b", "bytes"), ("none", "null"), ("t", "date and time"),
        ("far", "date and time"), ("zone", "date and time"), ("zones", "list"), ("yes", "boolean"), ("inf", "number"),
        ("day", "date"), ("u", "whole number"),
    ]  # fmt: skip
    assert found.rows() == [[
        "1.10", "list of 2", "map of 1", "ADw=", "null", "1970-01-01 00:00:00", "148108-07-06 14:00:27.387904",
        "1970-01-01 00:00:00+00", "list of 1", "true", "inf", "1970-01-01", str(2**64 - 1),
    ]]  # fmt: skip
    assert shown(site, found.link("map of 1")).one("ul").text == "x <i>"
    assert shown(site, found.link("list of 1")).one("ul").text == "0 1970-01-01 00:00:00+00"


def test_a_cell_of_a_file_is_shown_whole_and_leads_back(site: Site, tmp_path: Path) -> None:
    rows = [{"n": number, "v": {"list": [number, {"deep": number}]}} for number in range(60)]
    uri = stored(site, tmp_path, "cells.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    cell = shown(site, file_page(uri, sort="-n", row=55, column="v"))
    assert cell.one("ul", class_="tree").text == "list list of 2 0 4 1 map of 1 deep 4"
    part = shown(site, file_page(uri, sort="-n", row=55, column="v", at="/list/1"))
    assert part.one("nav", class_="crumbs").text == "the table v list 1"
    assert shown(site, part.link("list")).one("ul", class_="tree").text == "0 4 1 map of 1 deep 4"
    assert shown(site, part.link("the table")).rows()[5][0] == "4"
    with site.client() as client:
        assert client.get(file_page(uri, row=0, column="nobody")).status_code == 404
        assert client.get(file_page(uri, row=99, column="v")).status_code == 404


def test_very_many_columns_are_not_all_shown(site: Site, tmp_path: Path) -> None:
    content = ",".join(f"c{number}" for number in range(3000)) + "\n" + ",".join("1" for _ in range(3000)) + "\n"
    found = table_of(site, tmp_path, "wide.csv", content.encode())
    assert (len(heads(found)), remark(found)) == (100, "2 900 more columns not shown")


@pytest.mark.parametrize("name", ["cell.csv", "cell.jsonl"])
def test_a_cell_of_ten_megabytes_costs_little(site: Site, tmp_path: Path, name: str) -> None:
    big = b"x" * 10_000_000
    content = b"a,b\n1," + big + b"\n2,y\n" if name == "cell.csv" else b'{"a": 1, "b": "' + big + b'"}\n{"a": 2, "b": "y"}\n'
    uri = stored(site, tmp_path, name, content)
    begun = time.monotonic()
    found = shown(site, file_page(uri))
    assert time.monotonic() - begun < HANGS
    assert found.rows() == [["1", "x" * 200 + "… 10 000 000 characters"], ["2", "y"]]
    whole = shown(site, found.link("10 000 000 characters"))
    assert len(whole.one("pre").text) == 50_000
    assert set(shown(site, whole.link("Further →")).one("pre").text) == {"x"}


@pytest.fixture
def large(site: Site, tmp_path: Path) -> Iterator[str]:
    """The URI of a CSV of 200 MB, which is gone after the test."""
    block = "".join(f"{number},name {number % 1000},{number * 1.37:.2f}\n" for number in range(100_000)).encode()
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.write(b"id,name,amount\n")
        while file.tell() < 200_000_000:
            file.write(block)
    uri = site.app.files.put(path, "company.team", "large.csv").uri
    path.unlink(missing_ok=True)
    yield uri
    with site.app.files.local(uri) as kept:
        kept.unlink()


def test_a_csv_of_200_megabytes_shows_its_first_page_at_once(site: Site, large: str) -> None:
    begun = time.monotonic()
    first = shown(site, file_page(large))
    assert time.monotonic() - begun < HANGS
    assert len(first.rows()) == 50
    begun = time.monotonic()
    summed = shown(site, first.link("Sum up the columns"))
    assert time.monotonic() - begun < 2 * HANGS
    assert len(summed.all("dl")) == 3
    assert shown(site, first.link("Text")).one("pre").text.startswith("id,name,amount 0,name 0,0.00")


def parquet(folder: Path, table: pyarrow.Table) -> bytes:
    path = folder / "made.parquet"
    pyarrow.parquet.write_table(table, path)
    return path.read_bytes()
