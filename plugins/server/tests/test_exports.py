"""Whole lists as streams."""

from __future__ import annotations

import csv
import gc
import json
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any

import httpx
import pyarrow.parquet
import pytest

from core.app import App
from core.host.views import OutputFilter
from tailrace_server import exports

NDJSON = {"Accept": "application/x-ndjson"}
CSV = {"Accept": "text/csv"}
PARQUET = {"Accept": "application/vnd.apache.parquet"}
LOOP = """
id: loop
namespace: company
tasks:
  - id: each
    type: flow.ForEach
    values: "{{ range(1, 40) }}"
    tasks:
      - {id: one, type: debug.Return, format: "{{ taskrun.value }}, \\"quoted\\" ä"}
"""


@pytest.fixture(scope="module")
def execution(app: App) -> str:
    return app.run(LOOP).id


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short list is many pages, and a page several batches."""
    monkeypatch.setattr(exports, "ROWS", 7)
    monkeypatch.setattr(exports, "ROOM", 100)


@pytest.fixture
def expected(client: httpx.Client, execution: str) -> list[dict[str, Any]]:
    """The same rows as pages give them."""
    rows: list[dict[str, Any]] = client.get(f"/task-outputs?flow_execution_id={execution}&limit=1000").json()["data"]
    assert len(rows) == 41
    return rows


def test_lines_of_json_are_the_rows_of_the_pages(client: httpx.Client, expected: list[dict[str, Any]], execution: str) -> None:
    answer = client.get(f"/task-outputs?flow_execution_id={execution}", headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "content-length" not in answer.headers
    assert [json.loads(line) for line in answer.text.splitlines()] == expected


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_a_stream_is_compressed_too(client: httpx.Client, expected: Any, execution: str, encoding: str) -> None:
    headers = {**NDJSON, "Accept-Encoding": encoding}
    answer = client.get(f"/task-outputs?flow_execution_id={execution}&fields=id", headers=headers)
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert [json.loads(line)["id"] for line in answer.text.splitlines()] == [row["id"] for row in expected]


def test_a_stream_goes_on_after_a_row(client: httpx.Client, expected: list[dict[str, Any]], execution: str) -> None:
    answer = client.get(f"/task-outputs?flow_execution_id={execution}&starting_after={expected[20]['id']}", headers=NDJSON)
    assert [json.loads(line) for line in answer.text.splitlines()] == expected[21:]


def test_a_stream_has_filters_fields_and_a_count(client: httpx.Client, execution: str) -> None:
    answer = client.get(f"/task-outputs?flow_execution_id={execution}&task_name=each&fields=task_name,state&count=true", headers=NDJSON)
    assert (answer.content, answer.headers["x-total-count"]) == (b'{"task_name":"each","state":"SUCCESS"}\n', "1")


def test_csv_has_a_header_and_json_in_cells(client: httpx.Client, expected: list[dict[str, Any]], execution: str) -> None:
    answer = client.get(f"/task-outputs?flow_execution_id={execution}", headers=CSV)
    rows = list(csv.DictReader(StringIO(answer.text, newline="")))
    assert list(rows[0]) == list(expected[0])
    for row, wanted in zip(rows, expected, strict=True):
        shown = {name: json.loads(row[name] or "null") if name in ("summary", "output", "tags") else row[name] for name in row}
        texts = {name: value if isinstance(value, (dict, list)) else str("" if value is None else value) for name, value in wanted.items()}
        assert shown == {**texts, "output": wanted["output"]}


def test_parquet_has_types(client: httpx.Client, expected: list[dict[str, Any]], execution: str) -> None:
    answer = client.get(f"/task-outputs?flow_execution_id={execution}", headers=PARQUET)
    table = pyarrow.parquet.read_table(BytesIO(answer.content))
    assert {name: str(table.schema.field(name).type) for name in ("id", "version", "created_at", "output")} == {
        "id": "string", "version": "int64", "created_at": "timestamp[us, tz=UTC]", "output": "string",
    }  # fmt: skip
    rows = table.to_pylist()
    assert [row["id"] for row in rows] == [row["id"] for row in expected]
    assert rows[0]["created_at"] == datetime.fromisoformat(expected[0]["created_at"])
    assert json.loads(rows[0]["output"]) == expected[0]["output"]


@pytest.mark.parametrize("headers", [NDJSON, CSV, PARQUET], ids=str)
def test_nothing_is_a_stream_too(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.get("/task-outputs?flow_id=nothing&fields=id", headers=headers)
    assert answer.status_code == 200
    if headers is PARQUET:
        assert pyarrow.parquet.read_table(BytesIO(answer.content)).to_pylist() == []
    else:
        assert answer.content == {"text/csv": b"id\r\n"}.get(headers["Accept"], b"")


def test_a_wrong_cursor_is_refused_before_anything_is_sent(client: httpx.Client) -> None:
    unknown = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"
    answer = client.get(f"/task-outputs?starting_after={unknown}", headers=NDJSON)
    assert (answer.status_code, answer.headers["content-type"]) == (
        client.get(f"/task-outputs?starting_after={unknown}").status_code, "application/json",
    )  # fmt: skip


def test_without_its_library_parquet_is_refused(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = client.get("/task-outputs", headers=PARQUET)
    assert answer.status_code == 406
    assert answer.json()["error"] == {
        "code": "not_acceptable",
        "message": "this server has no library for application/vnd.apache.parquet: "
                   "its operator can install tailrace-server[parquet]",
        "details": [{"path": "header.Accept", "message": "expected: application/x-ndjson or text/csv"}],
    }  # fmt: skip


ACCEPTED = {
    "application/x-ndjson, */*;q=0.1": "application/x-ndjson",
    "text/csv;q=0.5, application/x-ndjson;q=0.4": "text/csv",
    "*/*": "application/json",
    "text/html, application/xhtml+xml, */*;q=0.8": "application/json",
    "text/*": "text/csv",
    "application/*": "application/json",
    "application/json;q=0, application/*": "application/x-ndjson",
    "TEXT/CSV": "text/csv",
    "": "application/json",
}


@pytest.mark.parametrize(("accept", "media"), ACCEPTED.items())
def test_the_form_is_what_the_client_likes_best(client: httpx.Client, accept: str, media: str) -> None:
    answer = client.get("/task-outputs?flow_id=nothing", headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == media


def test_a_stream_that_breaks_is_not_taken_for_whole(api: Any, app: App, execution: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = app.outputs.list
    seen: list[OutputFilter] = []

    def breaking(which: OutputFilter) -> Any:
        seen.append(which)
        if len(seen) > 2:
            raise RuntimeError("the disk is gone")
        return pages(which)

    monkeypatch.setattr(app.outputs, "list", breaking)
    with pytest.raises(httpx.RemoteProtocolError):
        api.client().get(f"/task-outputs?flow_execution_id={execution}", headers=NDJSON)
    assert api.notes[-1].endswith("Exception caught after response started")
    assert "RuntimeError: the disk is gone" in api.notes[-1]


def test_a_stream_takes_constant_memory(app: App, execution: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred times as many rows take no more than a few."""
    page = app.outputs.list(OutputFilter(flow_execution_id=(execution,), limit=7))
    left = [0]

    def endless(_: OutputFilter) -> Any:
        left[0] -= 1
        if left[0] % 50 == 0:
            gc.collect()  # what only waits for the collector does not grow with the rows
        return type(page)(page.data, left[0] > 0, page.next if left[0] > 0 else None)

    def peak(pages: int) -> int:
        left[0] = pages
        tracemalloc.start()
        try:
            count = sum(piece.count(b"\n") for piece in export())
            assert count == 7 * pages
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def export() -> Iterator[bytes]:
        return exports.export(app, OutputFilter(), "default", ("id", "output"), NDJSON["Accept"])

    monkeypatch.setattr(app.outputs, "list", endless)
    peak(2)
    assert peak(200) < 1.5 * peak(2) + 50_000
