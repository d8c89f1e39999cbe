from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from io import BytesIO
from typing import Any

import pytest

from core.loading import load_flow
from core.registry import load_registry
from core.sdk import TaskFailed, TooLarge, to_plain
from core.testing.http_server import Answer, HttpServer, Received, Reply, Route, json_answer
from core.testing.plain_context import Metric, PlainContext
from tailrace_http.request import Request


def form_parts(received: Received) -> dict[str, EmailMessage]:
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + received.body)
    return {part.get_param("name", header="Content-Disposition"): part for part in form.iter_parts()}  # type: ignore


def test_the_answer_is_recorded_as_the_reference_does(ctx: PlainContext, run: Any) -> None:
    answer = Answer('{"products": [1, 2]}', headers=[("Content-Type", "application/json"), ("X-A", "1"), ("x-a", "2")])
    with HttpServer({"/products": answer}) as server:
        output = run(Request, {"uri": f"{server.url}/products"})
    assert output.pop("responseTimeMs") >= 0
    for varying in ("Server", "Date"):
        assert len(output["headers"].pop(varying)) == 1
    assert output == {
        "uri": f"{server.url}/products",
        "code": 200,
        "headers": {"Content-Type": ["application/json"], "X-A": ["1", "2"], "Content-Length": ["20"]},
        "body": '{"products": [1, 2]}',
        "formData": None,
    }
    tags = {"request.method": "GET", "response.code": "200"}
    assert ctx.metrics == [Metric("response.length", 20, "counter", tags)]


def test_the_request_says_who_it_is_and_sends_its_content_type_without_a_body(run: Any) -> None:
    with HttpServer({"/": "ok"}) as server:
        run(Request, {"uri": server.url})
        run(Request, {"uri": server.url, "headers": {"user-agent": "mine", "content-type": "text/x", "X-A": " ü\n"}})
    first, second = server.requests
    assert (first.method, first.headers["user-agent"]) == ("GET", "tailrace-tests")
    assert first.headers["content-type"] == "application/json"
    assert (second.headers["user-agent"], second.headers["content-type"]) == ("mine", "text/x")
    assert second.headers["x-a"].encode("latin-1").decode() == "ü"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('{"a": 1}', b'{"a": 1}'),
        ("grüße", "grüße".encode()),
        ({"a": ["ü", 1]}, '{"a": ["ü", 1]}'.encode()),
        ([1, None], b"[1, null]"),
        (5, b"5"),
    ],
)
def test_a_body_is_text_and_maps_become_json(run: Any, body: object, sent: bytes) -> None:
    with HttpServer({"/": "ok"}) as server:
        run(Request, {"uri": server.url, "method": "post", "body": body})
    assert (server.requests[0].method, server.requests[0].body) == ("POST", sent)


def test_a_form_is_urlencoded(run: Any) -> None:
    with HttpServer({"/": "ok"}) as server:
        run(Request, {"uri": server.url, "method": "POST", "formData": {"a": "x y&z", "n": 1, "list": [1, "é"]}})
    assert server.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert server.requests[0].body == b"a=x+y%26z&n=1&list=%5B1%2C+%22%C3%A9%22%5D"


@pytest.mark.parametrize("place", ["contentType", "headers"])
def test_a_multipart_form_sends_stored_files(ctx: PlainContext, run: Any, place: str) -> None:
    stored = ctx.storage.put(BytesIO(b"1,2\n" * 100_000), "data.csv").uri
    media = "multipart/form-data"
    written = {"contentType": media} if place == "contentType" else {"headers": {"Content-Type": media}}
    form = {
        "text": "grüße",
        "number": 5,
        "map": {"a": 1},
        "file": stored,
        "older": stored.replace("storage:", "kestra:"),
        "named": {"name": "other.csv", "content": stored},
        "inline": {"name": "inline.txt", "content": "hello"},
    }
    with HttpServer({"/": "ok"}) as server:
        run(Request, {"uri": server.url, "method": "POST", "formData": form, **written})
    parts = form_parts(server.requests[0])
    content = {name: part.get_payload(decode=True) for name, part in parts.items()}
    data = b"1,2\n" * 100_000
    assert content == {
        "text": "grüße".encode(),
        "number": b"5",
        "map": b'{"a": 1}',
        "file": data,
        "older": data,
        "named": data,
        "inline": b"hello",
    }
    assert {name: part.get_filename() for name, part in parts.items()} == {
        "text": None,
        "number": None,
        "map": None,
        "file": "data.csv",
        "older": "data.csv",
        "named": "other.csv",
        "inline": "inline.txt",
    }


def test_spaces_of_the_uri_are_escaped(run: Any) -> None:
    with HttpServer({"/a%20b": "ok"}) as server:
        output = run(Request, {"uri": f"{server.url}/a b?q=c d"})
    assert server.requests[0].target == "/a%20b?q=c%20d"
    assert output["uri"] == f"{server.url}/a%20b?q=c%20d"


@pytest.mark.parametrize(
    ("answer", "options", "text"),
    [
        (Answer("é".encode("latin-1"), headers={"Content-Type": "text/plain; charset=ISO-8859-1"}), {}, "é"),
        (Answer("é".encode("latin-1")), {"defaultCharset": "ISO-8859-1"}, "é"),
        (Answer("é".encode()), {}, "é"),
        (Answer("é".encode(), headers={"Content-Type": "text/plain; charset=none"}), {}, "é"),
        (Answer(gzip.compress(b"packed"), headers={"Content-Encoding": "gzip"}), {}, "packed"),
        (Answer(b"", 204), {}, ""),
    ],
)
def test_the_body_is_decoded(run: Any, answer: Answer, options: Mapping[str, Any], text: str) -> None:
    with HttpServer({"/": answer}) as server:
        assert run(Request, {"uri": server.url, "options": options})["body"] == text


@pytest.mark.parametrize(
    ("answer", "charset"),
    [
        (Answer(b"a\xff"), "UTF-8"),
        (Answer(b"a\xff", headers={"Content-Type": "text/plain; charset=ascii"}), "ascii"),
        (Answer(b"a\xff", headers={"Content-Type": "text/plain; charset=none"}), "UTF-8"),
        (Answer(b"a\xff", headers={"Content-Type": "text/plain; charset=hex"}), "UTF-8"),
    ],
)
def test_a_body_that_is_no_text_fails(run: Any, answer: Answer, charset: str) -> None:
    with HttpServer({"/": answer}) as server, pytest.raises(TaskFailed) as failed:
        run(Request, {"uri": server.url})
    assert str(failed.value) == (
        f"{server.url}: the answer is not text in {charset}\n  to do: `http.Download` stores an answer of any kind as "
        "a file; for text in another charset set `options.defaultCharset`"
    )


def test_a_status_that_is_no_success_is_told_whatever_the_body_is(run: Any) -> None:
    with HttpServer({"/": Answer(b"\xff", 500)}) as server, pytest.raises(TaskFailed) as failed:
        run(Request, {"uri": server.url})
    assert failed.value.what == "GET answered 500 Internal Server Error: \ufffd"


def redirect(target: str, status: int = 302) -> Route:
    return Answer("", status, {"Location": target})


def test_redirects_are_followed_unless_told_otherwise(run: Any) -> None:
    routes: dict[str, Route] = {"/a": redirect("/b"), "/b": redirect("/c"), "/c": "end"}
    with HttpServer(routes) as server:
        followed = run(Request, {"uri": f"{server.url}/a"})
        stayed = run(Request, {"uri": f"{server.url}/a", "options": {"followRedirects": False}})
    assert (followed["code"], followed["body"], followed["uri"]) == (200, "end", f"{server.url}/a")
    assert (stayed["code"], stayed["headers"]["Location"]) == (302, ["/b"])


def test_a_redirect_to_another_host_does_not_take_the_credentials_along(run: Any) -> None:
    auth = {"type": "BEARER", "token": "t0ken"}
    with HttpServer({"/": "ok"}) as other, HttpServer({"/": redirect(f"{other.url}/")}) as first:
        run(Request, {"uri": first.url, "options": {"auth": auth}})
    assert first.requests[0].headers["authorization"] == "Bearer t0ken"
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    "options",
    [
        {"auth": {"type": "BASIC", "username": "ü", "password": "p:w"}},
        {"basicAuthUser": "ü", "basicAuthPassword": "p:w"},
    ],
)
def test_basic_authentication(run: Any, options: Mapping[str, Any]) -> None:
    with HttpServer({"/": "ok"}) as server:
        run(Request, {"uri": server.url, "options": options})
    assert server.requests[0].headers["authorization"] == "Basic " + b64encode("ü:p:w".encode()).decode()


def test_digest_authentication_answers_the_challenge_and_sends_the_body_again(run: Any) -> None:
    def guarded(request: Received) -> Reply:
        if request.headers.get("authorization", "").startswith('Digest username="user"'):
            return "in"
        return Answer("", 401, {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'})

    auth = {"type": "DIGEST", "username": "user", "password": "p"}
    with HttpServer({"/": guarded}) as server:
        output = run(Request, {"uri": server.url, "method": "POST", "body": "x", "options": {"auth": auth}})
    assert (output["body"], [request.body for request in server.requests]) == ("in", [b"x", b"x"])


@pytest.mark.parametrize("place", [{"options": {"allowFailed": True}}, {"allowFailed": True}])
def test_a_failing_status_can_be_allowed(run: Any, place: Mapping[str, Any]) -> None:
    with HttpServer({"/": json_answer({"error": "no"}, 422)}) as server:
        output = run(Request, {"uri": server.url, **place})
    assert (output["code"], output["body"]) == (422, '{"error": "no"}')


def test_a_failing_status_fails_the_task_and_records_the_answer(run: Any) -> None:
    with HttpServer({"/x": Answer("boom " * 100, 500)}) as server, pytest.raises(TaskFailed) as failed:
        run(Request, {"uri": f"{server.url}/x", "method": "PUT"})
    assert str(failed.value) == (
        f"{server.url}/x: PUT answered 500 Internal Server Error: {'boom ' * 40}\n"
        "  expected: a status code below 400\n"
        "  to do: `options.allowFailed: true` takes such an answer as a success"
    )
    recorded = to_plain(failed.value.output)
    assert (recorded["code"], recorded["body"]) == (500, "boom " * 100)


def test_a_status_outside_of_the_allowed_ones_fails(run: Any) -> None:
    with HttpServer({"/": ""}) as server, pytest.raises(TaskFailed) as failed:
        run(Request, {"uri": server.url, "options": {"allowedResponseCodes": [201, 404]}})
    assert str(failed.value) == (
        f"{server.url}: GET answered 200 OK\n"
        "  expected: one of the status codes 201, 404\n"
        "  to do: add it to `options.allowedResponseCodes`, if it is a success here"
    )


def test_an_answer_longer_than_allowed_fails(run: Any) -> None:
    with HttpServer({"/": b"12345"}) as server, pytest.raises(TooLarge) as failed:
        run(Request, {"uri": server.url, "options": {"maxContentLength": 4}})
    assert (
        str(failed.value)
        == f"{server.url}: the answer has more than 4 bytes\n  to do: raise `options.maxContentLength`"
    )


def test_what_has_no_effect_is_said(ctx: PlainContext, run: Any) -> None:
    options = {"readIdleTimeout": "PT1S", "connectionPoolIdleTimeout": "PT1S"}
    with HttpServer({"/": "ok"}) as server:
        run(Request, {"uri": server.url, "options": options, "body": "b", "formData": {"a": "1"}})
    assert ctx.log.lines == [
        ("WARN", "`options.readIdleTimeout` has no effect"),
        ("WARN", "`options.connectionPoolIdleTimeout` has no effect"),
        ("WARN", "`body` has no effect beside `formData`"),
    ]
    assert server.requests[0].body == b"a=1"


def test_an_encrypted_body_is_refused_before_the_run() -> None:
    flow = "id: f\nnamespace: a.b\ntasks:\n- {id: a, type: http.Request, uri: '{{ b }}', encryptBody: true}\n"

    assert [str(problem) for problem in load_flow(flow, load_registry(None), "f.yaml").problems] == [
        "f.yaml:4:60: `true` is not false"
    ]


def test_logs_show_the_request_and_the_answer_but_no_credentials(ctx: PlainContext, run: Any) -> None:
    logs = ["REQUEST_HEADERS", "REQUEST_BODY", "RESPONSE_HEADERS", "RESPONSE_BODY"]
    auth = {"type": "BASIC", "username": "u", "password": "p"}
    answer = Answer("pong", headers={"Set-Cookie": "session=1", "X-Kind": "a"})
    with HttpServer({"/": answer}) as server:
        run(Request, {"uri": server.url, "body": "ping", "options": {"logs": logs, "auth": auth}})
    (sent_body, request, response, received_body) = (message for level, message in ctx.log.lines if level == "INFO")
    assert (sent_body, received_body) == ("request body: ping", "response body: pong")
    assert request.splitlines()[0] == f"request: GET {server.url}"
    assert "  Authorization: ••••" in request.splitlines()
    assert response.splitlines()[0] == "response: 200 OK"
    assert {"  Set-Cookie: ••••", "  X-Kind: a"} <= set(response.splitlines())


def test_the_summary_has_status_time_and_size() -> None:
    output = {"code": 201, "responseTimeMs": 12, "body": "é"}
    assert Request.summary(output) == {"status_code": 201, "response_time_ms": 12, "size": 2}
