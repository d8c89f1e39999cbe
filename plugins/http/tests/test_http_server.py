"""The server that the other tests stand on."""

from __future__ import annotations

from http.client import HTTPConnection

import pytest

from core.testing.http_server import Answer, HttpServer, Received, Reply


def test_a_chunked_request_is_put_together() -> None:
    with HttpServer({"/": lambda request: request.body.upper()}) as server:
        client = HTTPConnection("127.0.0.1", server.port)
        client.request("POST", "/", body=iter([b"one ", b"two"]), encode_chunked=True)
        assert client.getresponse().read() == b"ONE TWO"
        client.close()


def test_a_path_without_a_route_is_404_and_recorded() -> None:
    with HttpServer({}) as server:
        client = HTTPConnection("127.0.0.1", server.port)
        client.request("GET", "/x?a=1", headers={"X-A": "1"})
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (404, b"no route /x")
        client.close()
    received = server.requests[0]
    assert (received.method, received.path, received.query, received.headers["x-a"]) == ("GET", "/x", "a=1", "1")


def test_head_sends_the_length_and_no_body_and_the_connection_stays_open() -> None:
    with HttpServer({"/": Answer("12345")}) as server:
        client = HTTPConnection("127.0.0.1", server.port)
        for method, body in (("HEAD", b""), ("GET", b"12345")):
            client.request(method, "/")
            answer = client.getresponse()
            assert (answer.headers["Content-Length"], answer.read(), answer.will_close) == ("5", body, False)
        client.close()


def test_what_a_route_raises_is_raised_at_the_end_of_the_block() -> None:
    def broken(_: Received) -> Reply:
        raise LookupError("the route is broken")

    def ask() -> None:
        with HttpServer({"/": broken}) as server:
            client = HTTPConnection("127.0.0.1", server.port)
            client.request("GET", "/")
            with pytest.raises(ConnectionError):
                client.getresponse()
            client.close()

    with pytest.raises(LookupError, match="the route is broken"):
        ask()
