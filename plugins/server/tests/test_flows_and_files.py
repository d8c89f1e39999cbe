"""Flows with revisions, stored files, and the audit."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from .conftest import Api

SOURCE = "id: stored\nnamespace: company.flows\ntasks:\n  - {id: a, type: debug.Return, format: \"%s\"}\n"
PATH = "/flows/company.flows/stored"


@pytest.fixture
def client(api: Api) -> httpx.Client:
    return api.client()


def test_a_flow_is_stored_in_revisions(client: httpx.Client) -> None:
    assert client.get(PATH).status_code == 404
    first = client.put(PATH, json={"source": SOURCE % "one"}).json()
    assert (first["revision"], first["problems"], first["local"]) == (1, [], False)
    assert client.put(PATH, json={"source": SOURCE % "one"}).json()["revision"] == 1
    assert client.put(PATH, json={"source": SOURCE % "two"}).json()["revision"] == 2
    assert client.get(PATH).json()["source"] == SOURCE % "two"
    assert client.get(PATH, params={"revision": 1}).json()["source"] == SOURCE % "one"
    revisions = client.get(f"{PATH}/revisions").json()["data"]
    assert [(one["revision"], one["source"]) for one in revisions] == [(2, SOURCE % "two"), (1, SOURCE % "one")]
    listed = client.get("/flows", params={"namespace": "company.flows"}).json()["data"]
    assert [(one["id"], one["revision"]) for one in listed] == [("stored", 2)]


def test_a_flow_with_errors_is_refused_with_all_of_them(client: httpx.Client) -> None:
    wrong = "id: stored\nnamespace: company.flows\ntasks:\n  - {id: a, type: no.Such}\n  - {id: b, type: debug.Return, fromat: x}\n"
    answer = client.put(PATH, json={"source": wrong})
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, "the flow has errors")
    places = [one["path"] for one in answer.json()["error"]["details"]]
    assert places == ["line 4, column 19: $.tasks[0].type", "line 5, column 33: $.tasks[1].fromat"]
    checked = client.post("/flows/check", json={"source": wrong}).json()
    assert (checked["valid"], [one["line"] for one in checked["problems"]]) == (False, [4, 5])


def test_a_flow_is_stored_under_its_own_name_only(client: httpx.Client) -> None:
    answer = client.put("/flows/company.flows/other", json={"source": SOURCE % "one"})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "the source is that of company.flows.stored"


def test_files_are_downloaded_whole_in_parts_and_previewed(client: httpx.Client, api: Api, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,x\n2,y\n3,z\n")
    uri = api.deployment.services("default").files.put(table, "company.flows", "table.csv").uri
    whole = client.get("/files", params={"uri": uri})
    assert (whole.text, whole.headers["content-type"]) == (table.read_text(), "text/csv; charset=utf-8")
    assert whole.headers["content-disposition"] == "attachment; filename*=UTF-8''table.csv"
    part = client.get("/files", params={"uri": uri}, headers={"Range": "bytes=4-6"})
    assert (part.status_code, part.text, part.headers["content-range"]) == (206, "1,x", "bytes 4-6/16")
    shown = client.get("/files/preview", params={"uri": uri, "rows": 2}).json()
    assert (shown["kind"], shown["columns"], shown["rows"], shown["truncated"]) == (
        "table", ["a", "b"], [["1", "x"], ["2", "y"]], True,
    )  # fmt: skip
    assert client.get(shown["href"].removeprefix("/api/v1")).text == table.read_text()


@pytest.mark.parametrize("uri", ["", "/etc/passwd", "storage:///../../etc/passwd", "file:///etc/passwd", "storage:///no"])
def test_nothing_else_is_a_file(client: httpx.Client, uri: str) -> None:
    for path in ("/files", "/files/preview"):
        assert client.get(path, params={"uri": uri}).status_code in (403, 404, 422)


def test_the_first_rows_of_parquet_are_shown(client: httpx.Client, api: Api, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    file = tmp_path / "t.parquet"
    write_table(pyarrow.table({"n": [1, 2, 3], "s": ["x", None, "z"]}), file)
    uri = api.deployment.services("default").files.put(file, "company.flows", "t.parquet").uri
    shown = client.get("/files/preview", params={"uri": uri, "rows": 2}).json()
    assert (shown["columns"], shown["rows"], shown["truncated"]) == (["n", "s"], [[1, "x"], [2, None]], True)


def test_an_image_is_told_to_be_one(client: httpx.Client, api: Api, tmp_path: Path) -> None:
    file = tmp_path / "dot.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\xff\xfe")
    uri = api.deployment.services("default").files.put(file, "company.flows", "dot.png").uri
    shown = client.get("/files/preview", params={"uri": uri}).json()
    assert (shown["kind"], shown["media_type"], shown["text"]) == ("image", "image/png", "")
    assert client.get(shown["href"].removeprefix("/api/v1")).content == file.read_bytes()


def test_changes_are_in_the_audit_for_admins(client: httpx.Client) -> None:
    source = SOURCE.replace("stored", "audited") % "one"
    client.put("/flows/company.flows/audited", json={"source": source})
    rows = client.get("/audit", params={"subject": "company.flows.audited"}).json()["data"]
    assert [(one["actor"], one["action"], one["after"]) for one in rows] == [("local", "flow.put", {"revision": 1})]


def test_a_file_is_stored_and_is_an_input(client: httpx.Client) -> None:
    answer = client.put(
        "/files", params={"namespace": "company.flows", "name": "data/given.txt"}, content=b"given from elsewhere",
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["size"]) == (200, 20)
    assert client.get("/files", params={"uri": answer.json()["uri"]}).content == b"given from elsewhere"
    flow = "id: takes\nnamespace: company.flows\ninputs: [{id: file, type: FILE}]\ntasks: [{id: a, type: debug.Return}]\n"
    assert client.put("/flows/company.flows/takes", json={"source": flow}).status_code == 200
    given = {"namespace": "company.flows", "flow_id": "takes", "inputs": {"file": answer.json()["uri"]}}
    assert client.post("/flow-executions", json=given).json()["inputs"] == {"file": answer.json()["uri"]}
    for wrong in ({"name": "x"}, {"namespace": "x"}, {"namespace": "a/../b", "name": "x"}, {"namespace": "a/b", "name": "x"}, {"namespace": "a", "name": "../x"}):
        refused = client.put("/files", params=wrong, content=b"", headers={"Content-Type": "application/octet-stream"})
        assert refused.status_code in (403, 422)
