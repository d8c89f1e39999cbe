from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.sdk import TaskFailed, TooLarge
from core.testing.http_server import Answer, HttpServer
from core.testing.plain_context import Metric, PlainContext
from tailrace_http.download import Download

EMPTY = hashlib.sha256(b"").hexdigest()


def test_the_answer_is_stored_under_the_name_of_the_url(ctx: PlainContext, run: Any) -> None:
    with HttpServer({"/files/data.csv": Answer("a,b\n1,2\n", headers={"X-A": "1"})}) as server:
        output = run(Download, {"uri": f"{server.url}/files/data.csv?v=1"})
    assert (output["code"], output["length"], output["headers"]["X-A"]) == (200, 8, ["1"])
    assert output["uri"].endswith("/data.csv")
    with ctx.storage.open(output["uri"]) as stored:
        assert stored.read() == b"a,b\n1,2\n"
    tags = {"request.method": "GET", "response.code": "200"}
    assert ctx.metrics == [Metric("response.length", 8, "counter", tags)]


def test_the_name_of_content_disposition_comes_first(run: Any) -> None:
    headers = {"Content-Disposition": 'attachment; filename="../up/n%20m.csv"'}
    with HttpServer({"/x": Answer("1", headers=headers)}) as server:
        assert run(Download, {"uri": f"{server.url}/x"})["uri"].rpartition("/")[2] == "n m.csv"


def test_pieces_without_a_length_are_joined(ctx: PlainContext, run: Any) -> None:
    with HttpServer({"/x": Answer([b"one ", b"two ", b"three"])}) as server:
        output = run(Download, {"uri": f"{server.url}/x"})
    with ctx.storage.open(output["uri"]) as stored:
        assert (stored.read(), output["length"]) == (b"one two three", 13)


def test_no_compression_is_asked_for_and_what_comes_compressed_is_unpacked(ctx: PlainContext, run: Any) -> None:
    packed = Answer(gzip.compress(b"plain"), headers={"Content-Encoding": "gzip"})
    with HttpServer({"/x.txt": packed}) as server:
        output = run(Download, {"uri": f"{server.url}/x.txt"})
    assert server.requests[0].headers["accept-encoding"] == "identity"
    with ctx.storage.open(output["uri"]) as stored:
        assert (stored.read(), output["length"]) == (b"plain", 5)


def test_a_large_file_takes_constant_memory(ctx: PlainContext, run: Any, tmp_path: Path) -> None:
    source = tmp_path / "large.bin"
    with source.open("wb") as file:
        file.truncate(64 << 20)
    with HttpServer({"/large.bin": source}) as server:
        run(Download, {"uri": f"{server.url}/large.bin"})  # imports happen outside of the measurement
        tracemalloc.start()
        try:
            output = run(Download, {"uri": f"{server.url}/large.bin"})
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert output["length"] == 64 << 20
    assert peak < 4 << 20


def test_an_answer_shorter_than_its_content_length_fails(ctx: PlainContext, run: Any) -> None:
    broken = Answer(b"12345", headers={"Content-Length": "20"})
    with HttpServer({"/x": broken}) as server, pytest.raises(TaskFailed) as failed:
        run(Download, {"uri": f"{server.url}/x"})
    assert str(failed.value) == f"{server.url}/x: the answer broke off after 5 of 20 bytes"


def test_an_empty_answer_fails(run: Any) -> None:
    with HttpServer({"/x": b""}) as server, pytest.raises(TaskFailed) as failed:
        run(Download, {"uri": f"{server.url}/x"})
    assert str(failed.value) == (
        f"{server.url}/x: the answer is empty\n  to do: `failOnEmptyResponse: false` stores an empty file instead"
    )


@pytest.mark.parametrize("allowed", [{"failOnEmptyResponse": False}, {"options": {"allowFailed": True}}])
def test_an_empty_answer_that_is_allowed_is_stored_with_a_warning(
    ctx: PlainContext, run: Any, allowed: Mapping[str, Any]
) -> None:
    with HttpServer({"/x.csv": b""}) as server:
        output = run(Download, {"uri": f"{server.url}/x.csv", **allowed})
    assert ctx.log.lines == [("WARN", f"File '{output['uri']}' is empty")]
    assert (output["length"], ctx.storage.stat(output["uri"]).sha256) == (0, EMPTY)


def test_a_failing_status_fails_without_reading_on(run: Any) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in range(10_000):
            sent.append(number)
            yield b"no such file " * 5_000

    with HttpServer({"/x": lambda _: Answer(endless(), 404)}) as server, pytest.raises(TaskFailed) as failed:
        run(Download, {"uri": f"{server.url}/x"})
    assert str(failed.value) == (
        f"{server.url}/x: GET answered 404 Not Found: {('no such file ' * 20)[:200]}\n"
        "  expected: a status code below 400\n"
        "  to do: `options.allowFailed: true` takes such an answer as a success"
    )
    assert len(sent) < 1_000


def test_a_download_longer_than_allowed_fails(run: Any) -> None:
    with HttpServer({"/x": Answer([b"123", b"45"])}) as server, pytest.raises(TooLarge) as failed:
        run(Download, {"uri": f"{server.url}/x", "options": {"maxContentLength": 4}})
    assert str(failed.value) == (
        f"{server.url}/x: the answer has more than 4 bytes\n  to do: raise `options.maxContentLength`"
    )


def test_the_body_of_a_download_is_not_logged_and_that_is_said(ctx: PlainContext, run: Any) -> None:
    with HttpServer({"/x": "1"}) as server:
        run(Download, {"uri": f"{server.url}/x", "options": {"logs": ["RESPONSE_BODY"]}})
    assert ctx.log.lines == [("WARN", "the body of a download is not logged: `RESPONSE_BODY` has no effect")]


def test_the_summary_has_status_time_and_size() -> None:
    output = {"code": 200, "responseTimeMs": 12, "length": 5}
    assert Download.summary(output) == {"status_code": 200, "response_time_ms": 12, "size": 5}
