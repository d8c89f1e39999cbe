"""What reads files for pages reaches nothing else, and gives up in time."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import pytest

from tailrace_server.showing import duck, stored, values
from tailrace_server.showing.duck import reader
from tests.waiting import PATIENCE

from .conftest import Site
from .value_pages import output_of, shown
from .value_pages import stored as stored_file


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{other}')",
        "COPY (SELECT 1) TO '{other}'",
        "ATTACH '{other}.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
    ],
)
def test_a_connection_reads_its_file_and_nothing_else(tmp_path: Path, sql: str) -> None:
    own, other = tmp_path / "it's own.csv", tmp_path / "other.csv"
    for path in (own, other):
        path.write_text("a\n1\n")
    with reader(own) as connection:
        assert connection.execute("SELECT a FROM read_csv(?)", [str(own)]).fetchall() == [(1,)]
        with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
            connection.execute(sql.format(other=other))


def test_a_question_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    monkeypatch.setattr(duck, "PATIENCE", 0.2)
    endless = duck.FileTable("(SELECT range AS a FROM range(1000000000000), (SELECT ? AS path))", (), "sum(a)")
    begun = time.monotonic()
    with reader(path) as connection, pytest.raises(duckdb.InterruptException):
        duck.rows(connection, path, endless, 0, 1)
    assert time.monotonic() - begun < 20


def test_a_question_that_begins_after_its_time_is_over_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")
    interrupted = threading.Event()

    class Counting:
        def interrupt(self) -> None:
            connection.interrupt()
            interrupted.set()

    monkeypatch.setattr(duck, "PATIENCE", 0.01)
    with reader(path) as connection, duck.hurried(Counting()):  # type: ignore[arg-type]
        assert interrupted.wait(PATIENCE)
        with pytest.raises(duckdb.InterruptException):
            connection.execute("SELECT sum(a.range * b.range) FROM range(40000) a, range(40000) b")


def test_a_table_that_takes_too_long_to_sort_is_shown_as_it_is(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = stored_file(site, tmp_path, "slow.csv", b"n\n2\n1\n")
    ask = duck.rows

    def slow(connection: Any, path: Path, table: Any, first: int, count: int, order: str) -> Any:
        if order:
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
        return ask(connection, path, table, first, count, order)

    monkeypatch.setattr(stored, "rows", slow)
    found = shown(site, f"/values/file?{urlencode({'uri': uri, 'sort': 'n'})}")
    assert found.one("p", class_="remark").text == "not sorted, since that takes too long"
    assert found.rows() == [["2"], ["1"]]


def test_a_table_that_takes_too_long_at_all_is_shown_as_text(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = stored_file(site, tmp_path, "slower.csv", b"n\n2\n1\n")

    def slow(*_: Any) -> Any:
        raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")

    monkeypatch.setattr(stored, "rows", slow)
    found = shown(site, f"/values/file?{urlencode({'uri': uri})}")
    assert found.one("p", class_="remark").text == "not shown as a table: that takes too long"
    assert found.one("pre").text == "n 2 1"


def test_only_the_first_rows_are_summed_up_where_all_take_too_long(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = stored_file(site, tmp_path, "long.csv", b"n\n" + b"".join(b"%d\n" % number for number in range(1000)))
    ask = duck._summed

    def slow(connection: Any, path: Path, source: str, columns: Any) -> Any:
        if "LIMIT" not in source:
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
        return ask(connection, path, source, columns)

    monkeypatch.setattr(duck, "_summed", slow)
    monkeypatch.setattr(duck, "FIRST_ROWS", 10)
    found = shown(site, f"/values/file?{urlencode({'uri': uri, 'summary': 'true'})}")
    assert found.one("p", class_="remark").text == "summed up: the first 10 rows"
    assert found.one("dl").text == "values 10 null 0 different 10 smallest 0 largest 9 mean 4.5"


def test_a_page_in_a_text_in_json_in_a_text_is_text(site: Site) -> None:
    output = output_of(site, '{"page": "<!doctype html><b>x</b>"}')
    found = shown(site, f"/values/{output}?{urlencode({'name': 'value', 'at': '/page', 'as': 'html'})}")
    assert (found.all("iframe"), found.one("output").text) == ([], "<!doctype html><b>x</b>")
    assert found.link("Download") == f"/values/{output}/download?name=value"


def test_the_result_of_an_expression_is_shown_from_its_beginning(site: Site) -> None:
    shown = values.shown_value(site.app, [{"n": number} for number in range(99)])
    assert shown.table is not None
    assert (len(shown.table.rows), shown.table.older, shown.choices, shown.download) == (50, "", (), "")
    assert values.shown_value(site.app, "<!doctype html><b>x</b>").kind == "scalar"
