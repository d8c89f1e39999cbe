"""What somebody would try who means no good: a flow's author, a viewer, a page of somebody else, a flood of requests."""

from __future__ import annotations

import json
import os
import re
import shlex
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from core.host.views import OutputFilter
from tailrace_server import pages
from tailrace_server.pages import duck, overview
from tailrace_server.pages.paged import FIELDS
from tailrace_server.pages.sign_in import LARGEST

from .conftest import Site, open_site
from .value_pages import Element, output_of, read, shown, stored

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def file_page(uri: str, **asked: Any) -> str:
    return f"/values/file?{urlencode({'uri': uri, **asked})}"


def remark(found: Element) -> str:
    return found.one("p", class_="remark").text


def token_of(client: httpx.Client) -> str:
    found = re.search('name="csrf-token" content="([0-9a-f]{64})"', client.get("/executions").text)
    assert found is not None
    return found[1]


# -- what flows make


@pytest.mark.parametrize("content", ['"{uri}"', '["{uri}"]', '{{"a": "{uri}"}}'])
def test_a_file_that_names_itself_is_not_followed_for_ever(site: Site, tmp_path: Path, content: str) -> None:
    uri = stored(site, tmp_path, "itself.json", b"1")
    assert stored(site, tmp_path, "itself.json", content.format(uri=uri).encode()) == uri
    with site.client() as client:
        answer = client.get(file_page(uri, at="/0" * 5000 if content[0] == "[" else "/a" * 5000))
    assert answer.status_code in (404, 422)


def test_files_that_name_each_other_are_told_to_be_too_deep(site: Site, tmp_path: Path) -> None:
    first, second = (stored(site, tmp_path, name, b"1") for name in ("first.json", "second.json"))
    stored(site, tmp_path, "first.json", f'"{second}"'.encode())
    stored(site, tmp_path, "second.json", f'"{first}"'.encode())
    with site.client() as client:
        answer = client.get(file_page(first))
    assert answer.status_code == 422
    assert "his is a value within too many others" in answer.text


def test_columns_of_the_same_name_are_told_apart_quickly(site: Site, tmp_path: Path) -> None:
    uri = stored(site, tmp_path, "same.csv", b"a," * 3000 + b"a\n" + b"1," * 3000 + b"1\n")
    begun = time.monotonic()
    heads = [one.text for one in shown(site, file_page(uri)).all("th", scope="col")][1:4]
    assert (heads, time.monotonic() - begun < 5) == (["a whole number", "a (2) whole number", "a (3) whole number"], True)


def test_a_head_of_a_hundred_thousand_columns_is_text(site: Site, tmp_path: Path) -> None:
    uri = stored(site, tmp_path, "commas.csv", b"," * 100_000 + b"\n1\n")
    begun = time.monotonic()
    found = shown(site, file_page(uri))
    assert (remark(found), time.monotonic() - begun < 5) == (
        "not shown as a table: it has more than 4\u202f000 columns", True,
    )  # fmt: skip


def test_rows_are_taken_as_far_as_there_is_room(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duck, "ROOM", 250)
    uri = stored(site, tmp_path, "large.csv", b"n,text\n" + b"".join(b"%d,%s\n" % (n, b"x" * 100) for n in range(7)))
    numbers, address = [], file_page(uri)
    for _ in range(9):
        found = shown(site, address)
        page = [row[0] for row in found.rows()]
        assert len(page) <= 3
        numbers += page
        onward = [one.attributes["href"] for one in found.all("a", rel="next")]
        if not onward:
            break
        address = onward[0]
    assert numbers == [str(number) for number in range(7)]


@pytest.mark.parametrize("value", [
    {"K" * 3_000_000: [[[1] for _ in range(20)] for _ in range(100)]},
    [{"K" * 1_000_000: "y" * 500} for _ in range(25)],
], ids=["tree", "table"])  # fmt: skip
def test_a_name_of_a_megabyte_is_shown_once_and_cut(site: Site, value: Any) -> None:
    output = output_of(site, value)
    begun = time.monotonic()
    assert len(site.get(f"/values/{output}?name=value")) < 200_000
    assert time.monotonic() - begun < 5


def test_places_below_a_name_of_a_megabyte_are_told_shortly(site: Site) -> None:
    first, second = (
        site.app.outputs.get(output_of(site, {"K" * 1_000_000: {f"a{n}": kind for n in range(20)}})).flow_execution_id
        for kind in (1, 2)
    )
    assert len(site.get(f"/compare?first={first}&second={second}")) < 100_000


@pytest.mark.parametrize("name", ["*.csv", "[a].csv", "a?.csv", "{a,b}.csv"])
def test_a_name_like_a_pattern_means_this_file_alone(site: Site, tmp_path: Path, name: str) -> None:
    stored(site, tmp_path, "patterns/a.csv", b"n\nof another file\n")
    uri = stored(site, tmp_path, f"patterns/{name}", b"n\nits own\n")
    found = shown(site, file_page(uri))
    assert found.rows() == [["its own"]]
    assert str(site.deployment.home) not in found.text


def test_only_some_files_are_looked_into_for_the_overview(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = stored(site, tmp_path, "one.csv", b"n\n1\n")
    looked = []
    monkeypatch.setattr(overview, "shown_value", lambda services, value: looked.append(value))
    found = overview._values(site.app, {f"file{number}": uri for number in range(20)})
    assert (len(looked), len(found)) == (overview.FILES, 20)
    assert found[-1][1] is not None
    assert f'href="/values/file?uri={quote(uri, safe="")}"' in found[-1][1].markup


@pytest.mark.parametrize(("key", "command"), [
    ("-o/home/somebody/.bashrc", "outputs get --server {server} -- {id} value.-o/home/somebody/.bashrc"),
    ("a\x1b[201~\nreboot\n'", "outputs get {id} $'value.a\\U0000001b[201~\\U0000000areboot\\U0000000a\\U00000027' --server {server}"),
    ("$(reboot)", "outputs get {id} 'value.$(reboot)' --server {server}"),
])  # fmt: skip
def test_what_is_copied_to_a_shell_does_nothing_else(site: Site, key: str, command: str) -> None:
    output = output_of(site, {key: 1})
    execution = site.app.outputs.get(output).flow_execution_id
    page = read(site.get(f"/executions/{execution}/outputs?{urlencode({'show': output, 'name': 'value', 'at': f'/{key}'.replace('/home/somebody/', '~1home~1somebody~1')})}"))
    (copied,) = [one.attributes["data-copy"] for one in page.all("button") if one.text == "command"]
    assert copied.endswith(command.format(id=output, server=site.url).replace("-- ", "", 0))
    assert copied.isprintable()
    assert shlex.split(copied)
