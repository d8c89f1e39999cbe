"""The first rows of Parquet files: as many as there is room for, however little the file weighs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.app import parquet
from core.app.contents import content_of
from core.app.parquet import first_rows

duckdb = pytest.importorskip("duckdb")


@pytest.fixture(params=["pyarrow", "duckdb"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "duckdb":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    else:
        pytest.importorskip("pyarrow")
    return str(request.param)


def written(path: Path, rows: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    return path


def test_rows_are_those_that_were_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", "SELECT range AS n, 'x' || range AS text FROM range(250)")
    for limit, count in ((1, 1), (99, 99), (100, 100), (101, 101), (250, 250), (1000, 250)):
        with path.open("rb") as source:
            found = first_rows(source, limit)
        assert found is not None
        assert (found.columns, len(found.rows), found.more) == (("n", "text"), count, limit < 250)
        assert found.rows[-1] == (count - 1, f"x{count - 1}")


def test_a_small_file_of_much_text_is_not_read_whole(tmp_path: Path, library: str) -> None:
    """DuckDB has not the memory to begin with it."""
    path = written(tmp_path / "a.parquet", "SELECT repeat('x', 100000) AS text FROM range(20000)")
    assert path.stat().st_size < 1_000_000  # of 2 GB
    with path.open("rb") as source:
        found = first_rows(source, 20_000)
        if library == "pyarrow":
            assert found is not None
            assert found.more
            assert 0 < sum(len(row[0]) for row in found.rows) <= parquet.ROOM
        else:
            assert found is None or found.more
        assert content_of("a.parquet", source) is None


def test_of_a_wide_table_fewer_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "CELLS", 10)
    columns = ", ".join(f"1 AS c{n}" for n in range(4))
    path = written(tmp_path / "a.parquet", f"SELECT {columns} FROM range(5)")
    with path.open("rb") as source:
        found = first_rows(source, 5)
    assert found is not None
    assert (len(found.rows), found.more) == (2, True)


@pytest.mark.parametrize("library", ["pyarrow"], indirect=True)
def test_of_large_values_pyarrow_reads_fewer_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One text that stands in many rows is in the file once, and in memory as often as it is read."""
    from pyarrow.parquet import ParquetFile

    sizes: list[int] = []
    batches = ParquetFile.iter_batches

    def measured(file: object, rows: int) -> Iterator[Any]:
        for batch in batches(file, rows):
            sizes.append(batch.nbytes)
            yield batch

    monkeypatch.setattr(ParquetFile, "iter_batches", measured)
    monkeypatch.setattr(parquet, "ROOM", 1_000_000)
    path = written(tmp_path / "a.parquet", "SELECT repeat('x', 100000) AS text FROM range(200)")
    with path.open("rb") as source:
        found = first_rows(source, 200)
    assert found is not None
    assert (found.more, len(found.rows) > 1) == (True, True)
    assert max(sizes) <= parquet.ROOM


@pytest.mark.parametrize("name", ["o*.parquet", "o?.parquet", "o[a-z].parquet", "o[*].parquet"])
def test_a_name_is_that_of_one_file(tmp_path: Path, name: str) -> None:
    for number, other in enumerate(("oa.parquet", "ob.parquet")):
        written(tmp_path / other, f"SELECT {number} AS n")
    path = written(tmp_path / "own", "SELECT 9 AS n").rename(tmp_path / name)
    with path.open("rb") as source:
        assert first_rows(source, 5) == parquet.Rows(("n",), ((9,),), False)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("TIMESTAMP_NS '2020-01-01 00:00:00.123456789'", datetime(2020, 1, 1, 0, 0, 0, 123456)),
        ("DATE '290000-01-01'", "290000-01-01"),
        ("TIMESTAMP '290000-01-01 00:00:00'", "290000-01-01 00:00:00"),
    ],
)
def test_values_that_python_has_not_are_shown_all_the_same(tmp_path: Path, value: str, found: object) -> None:
    path = written(tmp_path / "a.parquet", f"SELECT {value} AS value")
    with path.open("rb") as source:
        assert first_rows(source, 5) == parquet.Rows(("value",), ((found,),), False)
