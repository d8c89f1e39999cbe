"""Answers as clients want them: ETags, compression, HEAD, and the headers that all have."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import pytest
import zstandard

from core.app import App
from tests.waiting import PATIENCE

LONG = "/openapi.json"
SHORT = "/health"


def raw(client: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer and its bytes as they were sent."""
    plain = httpx.Client(base_url=client.base_url, timeout=PATIENCE)
    with plain, plain.stream("GET", path, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.fixture(scope="module")
def one(app: App, flow: str) -> str:
    return f"/task-outputs/{app.executions.tasks(app.run(flow).id)[0].id}"


ENCODINGS: dict[str, str | None] = {
    "gzip": "gzip",
    "zstd": "zstd",
    "gzip, zstd": "zstd",
    "gzip, deflate, br": "gzip",
    "GZIP;q=0.5": "gzip",
    "gzip;q=0, zstd;q=0": None,
    "gzip, zstd;q=0.0": "gzip",
    "br": None,
    "identity": None,
    "": None,
}


@pytest.mark.parametrize(("accepted", "encoding"), ENCODINGS.items(), ids=str)
def test_a_long_answer_is_compressed_as_the_client_can_read_it(
    client: httpx.Client, accepted: str, encoding: str | None
) -> None:
    plain = client.get(LONG, headers={"Accept-Encoding": "identity"})
    answer, body = raw(client, LONG, **{"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-length"] == str(len(body))
    unpacked = {"gzip": gzip.decompress, "zstd": zstandard.ZstdDecompressor().decompressobj().decompress}.get(encoding or "", bytes)
    assert unpacked(body) == plain.content
    assert encoding is None or len(body) < len(plain.content) / 4
    assert answer.headers["vary"] == "Accept, Accept-Encoding, Authorization, Cookie"


def test_a_short_answer_is_not_compressed(client: httpx.Client) -> None:
    answer, body = raw(client, SHORT, **{"Accept-Encoding": "gzip"})
    assert ("content-encoding" in answer.headers, body) == (False, b'{"status":"ok","parts":{"records":"ok"}}')


@pytest.mark.parametrize("path", [LONG, SHORT, "/task-outputs", "one"])
@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_what_the_client_has_is_not_sent_again(client: httpx.Client, one: str, path: str, encoding: str) -> None:
    path, headers = one if path == "one" else path, {"Accept-Encoding": encoding}
    first = client.get(path, headers=headers)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert tag.endswith(f'-{encoding}"') is ("content-encoding" in first.headers)
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(path, headers={**headers, "If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in again.headers
    assert client.get(path, headers={**headers, "If-None-Match": '"other"'}).status_code == 200


def test_the_etag_of_a_list_changes_with_it(client: httpx.Client, app: App, flow: str) -> None:
    before = client.get("/task-outputs").headers["etag"]
    assert client.get("/task-outputs").headers["etag"] == before
    app.run(flow)
    assert client.get("/task-outputs").headers["etag"] != before


def test_the_etag_of_a_record_begins_with_its_version(client: httpx.Client, one: str) -> None:
    assert client.get(one).headers["etag"].startswith('"1-')
    patched = client.patch(one, json={"tags": {"a": "b"}}, headers={"If-Match": client.get(one).headers["etag"]})
    assert patched.headers["etag"].startswith('"2-')


@pytest.mark.parametrize("path", [LONG, SHORT, "/docs", "one", "/nothing"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_head_is_get_without_a_body(client: httpx.Client, one: str, path: str, encoding: str) -> None:
    path = one if path == "one" else path
    headers = {"Accept-Encoding": encoding, "X-Request-ID": "same"}
    got, head = client.get(path, headers=headers), client.head(path, headers=headers)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


@pytest.mark.parametrize("path", [SHORT, "/docs", "/nothing", "/task-outputs?limit=0"])
def test_every_answer_has_the_headers_that_keep_browsers_safe(client: httpx.Client, path: str) -> None:
    found: Any = client.get(path).headers
    assert {name: found[name] for name in (
        "x-content-type-options", "x-frame-options", "referrer-policy", "cache-control", "content-security-policy",
    )} == {
        "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
        "cache-control": "private, no-cache",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    }  # fmt: skip
    assert "server" not in found
