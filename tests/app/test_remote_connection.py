"""Requests to a server: what it refuses as errors of ours, rate limits waited for, and what is no API at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.app.remote import connection as module
from core.app.remote.connection import Connection
from core.app.remote.views import output_query
from core.errors import Conflict, Forbidden, Invalid, NotFound, TailraceError, TooLarge, Unreachable
from core.host.views import OutputFilter
from core.testing.http_server import Answer, HttpServer, Received, Route, json_answer

PATH = "/api/v1/flow-executions"


def error(code: str, *details: tuple[str, str]) -> dict[str, object]:
    told = [{"path": path, "message": message} for path, message in details]
    return {"error": {"code": code, "message": "it is not so", "details": told}, "request_id": "r-1"}


def asked(answer: Route, key: str = "") -> tuple[object, list[Received]]:
    with HttpServer({PATH: answer}) as server:
        connection = Connection(server.url, key)
        try:
            return connection.get("/flow-executions", {"limit": 1, "status": ("failed", "stale"), "none": None}), [
                *server.requests
            ]
        finally:
            connection.close()


def test_a_request_says_who_asks_and_for_what() -> None:
    found, (request,) = asked(json_answer({"data": []}), "tr_secret")

    assert found == {"data": []}
    assert request.target == f"{PATH}?limit=1&status=failed&status=stale"
    assert (request.headers["authorization"], request.headers["accept"]) == ("Bearer tr_secret", "application/json")


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (404, error("missing"), NotFound, "it is not so"),
        (409, error("conflict"), Conflict, "it is not so"),
        (413, error("too_large"), TooLarge, "it is not so"),
        (403, error("forbidden"), Forbidden, "it is not so"),
        (422, error("invalid", ("query.limit", "expected: 1 to 1000"), ("", "too many")), Invalid,
         "it is not so\n  expected: 1 to 1000; too many"),
        (422, error("invalid", ("secret('X')", "expected: none")), Invalid, "secret('X'): it is not so\n  expected: none"),
        (401, error("unauthorized"), Forbidden, "URL: it is not so\n  to do: give a key with --api-key"),
        (500, error("internal"), Unreachable,
         "URL: the server refuses: it is not so; its log says more of the request r-1"),
        (502, {"oops": 1}, Unreachable, "URL: the answer is an error of another program: 502"),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_server_refuses_is_an_error_of_ours(
    status: int, body: object, kind: type[TailraceError], told: str
) -> None:
    with HttpServer({PATH: json_answer(body, status)}) as server:
        connection = Connection(server.url, "")
        with pytest.raises(kind) as caught:
            connection.get("/flow-executions")
        connection.close()

    assert str(caught.value) == told.replace("URL", server.url)


def test_the_order_of_a_list_is_asked_for() -> None:
    assert [output_query(OutputFilter(oldest_first=one))["order"] for one in (True, False)] == ["oldest", None]


def test_what_is_no_api_is_told() -> None:
    with HttpServer({PATH: "<html>"}) as server:
        connection = Connection(server.url, "")
        with pytest.raises(Unreachable) as caught:
            connection.get("/flow-executions")
        connection.close()

    assert str(caught.value) == f"{server.url}: what answers there is not this product's API"


def test_a_rate_limit_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(module, "sleep", waited.append)
    answers: Iterator[Answer] = iter((
        Answer("", 429, {"Retry-After": "3"}), Answer("", 429, {"Retry-After": "2"}), json_answer({"data": [1]}),
    ))  # fmt: skip

    found, requests = asked(lambda request: next(answers))

    assert (found, waited, len(requests)) == ({"data": [1]}, [3, 2], 3)


@pytest.mark.parametrize("told", ["Sun, 22 Nov 2026 10:00:00 GMT", "0", "soon"])
def test_a_rate_limit_that_says_no_seconds_is_waited_for_a_second(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(module, "sleep", waited.append)
    answers: Iterator[Answer] = iter((Answer("", 429, {"Retry-After": told}), json_answer({"data": [1]})))

    assert (asked(lambda request: next(answers))[0], waited) == ({"data": [1]}, [1])


@pytest.mark.parametrize("url", [
    "ftp://host", "http://", "host:port", "http://host:99999", "postgresql://h/db",
    "x" * 64, "a..b", "http://[::1", "\udcff", "http://host/ä",
])  # fmt: skip
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Connection(url, "")
    assert str(caught.value) == (
        "setting server: this is not the URL of a server\n  expected: https://HOST[:PORT]"
    )


@pytest.mark.parametrize("key", ["tr_s3cret\n", "tr_s3cr\u00e9t", "\udcff", "tr s3cret"])
def test_what_no_header_can_hold_is_no_api_key_and_is_not_shown(key: str) -> None:
    with pytest.raises(Invalid) as caught:
        Connection("http://host", key)
    assert str(caught.value) == (
        "setting api_key: this is not an API key\n  expected: no blanks, and ASCII only"
    )


def test_an_id_that_is_no_text_is_asked_for_like_others() -> None:
    with HttpServer({}) as server:
        connection = Connection(server.url, "")
        with pytest.raises(Unreachable, match="the answer is an error of another program: 404"):
            connection.get("/flow-executions/\udcff", {"tag": "\udcff"})
        connection.close()


def test_a_password_in_the_url_is_not_shown() -> None:
    assert Connection("https://me:s3cret@flows.example:8443/base/", "").url == "https://flows.example:8443/base"
