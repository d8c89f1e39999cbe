from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.sdk import Interrupted, Invalid, TailraceError, TaskFailed, Unreachable
from core.testing.http_server import Answer, HttpServer, Received, Reply, Route
from core.testing.plain_context import PlainContext
from tailrace_http.download import Download
from tailrace_http.request import Request
from tests.waiting import PATIENCE


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def failure(run: Any, kind: type[TailraceError], properties: dict[str, Any]) -> str:
    with pytest.raises(TailraceError) as failed:
        run(Request, properties)
    assert type(failed.value) is kind
    assert "httpx" not in str(failed.value)
    return str(failed.value)


def test_a_refused_connection(run: Any, free_port: int) -> None:
    assert failure(run, Unreachable, {"uri": f"http://u:p@127.0.0.1:{free_port}/x"}) == (
        f"http://127.0.0.1:{free_port}/x: 127.0.0.1 refused the connection\n"
        f"  to do: check that a server listens on port {free_port}"
    )


def test_a_proxy_that_refuses_the_connection(run: Any, ctx: PlainContext, free_port: int) -> None:
    ctx.environment = {"http_proxy": f"http://127.0.0.1:{free_port}"}
    assert failure(run, Unreachable, {"uri": "http://api.test/x"}) == (
        "http://api.test/x: the proxy 127.0.0.1 refused the connection\n"
        f"  to do: check that a server listens on port {free_port}"
    )


def test_a_host_without_an_address(run: Any) -> None:
    assert failure(run, Unreachable, {"uri": "http://no-such-host.invalid/x"}) == (
        "http://no-such-host.invalid/x: no-such-host.invalid can't be found: its name has no address\n"
        "  to do: check its spelling, and the network of this machine"
    )


def test_a_server_that_does_not_answer_in_time(run: Any) -> None:
    done = threading.Event()

    def late(_: Received) -> Reply:
        done.wait(PATIENCE)
        return "late"

    with HttpServer({"/": late}) as server:
        options = {"timeout": {"readIdleTimeout": "PT0.2S"}}
        message = failure(run, Unreachable, {"uri": server.url, "options": options})
        done.set()
    assert message == (
        f"{server.url}: nothing came for PT0.2S\n  to do: raise `options.timeout.readIdleTimeout` for a slow server"
    )


def test_a_connection_that_is_not_taken_in_time(run: Any) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        waiting = [socket.socket() for _ in range(4)]  # they fill the queue of the listener
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(listener.getsockname())
        options = {"timeout": {"connectTimeout": "PT0.2S"}}
        message = failure(run, Unreachable, {"uri": url, "options": options})
        for connection in waiting:
            connection.close()
    assert message == (
        f"{url}: no connection within PT0.2S\n  to do: check the address, or raise `options.timeout.connectTimeout`"
    )


def test_redirects_without_end(run: Any) -> None:
    with HttpServer({"/": Answer("", 302, {"Location": "/"})}) as server:
        message = failure(run, TaskFailed, {"uri": f"{server.url}/"})
    assert message == (f"{server.url}/: the redirects don't end: 50 were followed, the last one to {server.url}/")
    assert len(server.requests) == 51


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ("ftp://host/x", TaskFailed, "{server}: a redirect leads to ftp://host/x, which is not HTTP"),
        (
            "http://a..b/x",
            Unreachable,
            "http://a..b/x: no connection to a..b, port 80: this can't be the name of a host",
        ),
        (
            "http://[::1",
            TaskFailed,
            "{server}: the answer breaks the rules of HTTP: Invalid URL in location header: Invalid port: ':1'.",
        ),
    ],
)
def test_a_redirect_to_nowhere(run: Any, target: str, kind: type[TailraceError], message: str) -> None:
    with HttpServer({"/": Answer("", 302, {"Location": target})}) as server:
        assert failure(run, kind, {"uri": server.url}) == message.format(server=server.url)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "example.com/x",
        "ftp://host/x",
        "http://",
        "http://[::1",
        "http://host:port/",
        "http://a..b/",
        "http://a b/",
        f"http://{'a' * 64}.test/",
        "http://host/\x01",
    ],
)
def test_a_url_that_can_not_be_requested(run: Any, uri: str) -> None:
    assert failure(run, Invalid, {"uri": uri}) == (
        f"$.uri: `{uri}` is not a URL that can be requested\n  expected: https://host/path or http://…"
    )


def test_a_method_that_is_none(run: Any) -> None:
    assert failure(run, Invalid, {"uri": "http://127.0.0.1", "method": "GET /"}) == (
        "$.method: `GET /` is not a method of HTTP\n  expected: GET, POST, PUT, …"
    )


@pytest.mark.parametrize(("name", "value"), [("X-A", "one\r\ntwo"), ("X-Ä", "1"), ("X A", "1"), ("X", "a\0")])
def test_a_header_that_can_not_be_sent(run: Any, name: str, value: str) -> None:
    assert failure(run, Invalid, {"uri": "http://127.0.0.1", "headers": {name: value}}) == (
        f"$.headers.{name}: this header can't be sent\n"
        "  expected: a name of letters, digits and dashes, and a value without line breaks"
    )


def raw_server(answer: bytes) -> Iterator[str]:
    """A server that sends some bytes for a request, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join()
    listener.close()


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (b"", Unreachable, "the server closed the connection without an answer"),
        (b"hello\r\n\r\n", TaskFailed, "the answer breaks the rules of HTTP: illegal status line: bytearray(b'hello')"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", TaskFailed, "the answer broke off after 3 of 9 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
            TaskFailed,
            "the answer broke off before its end",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc",
            TaskFailed,
            "the answer is not packed as its Content-Encoding says: Error -3 while decompressing data: "
            "incorrect header check",
        ),
    ],
)
def test_an_answer_that_breaks_off(run: Any, answer: bytes, kind: type[TailraceError], message: str) -> None:
    server = raw_server(answer)
    url = next(server)
    assert failure(run, kind, {"uri": url}) == f"{url}: {message}"
    next(server, None)


def test_a_certificate_that_is_not_trusted(run: Any, authority: Any) -> None:
    with HttpServer({"/": "ok"}, tls=authority.server) as server:
        message = failure(run, Unreachable, {"uri": server.url})
    assert message == (
        f"{server.url}: the certificate of 127.0.0.1 is not trusted: unable to get local issuer certificate\n"
        "  to do: name the certificate of its authority in the environment variable SSL_CERT_FILE; for tests only, "
        "`options.ssl.insecureTrustAllCertificates: true` takes any"
    )


def test_a_certificate_of_another_host(run: Any, ctx: PlainContext, stranger: Any) -> None:
    ctx.environment = {"SSL_CERT_FILE": str(stranger.pem)}
    with HttpServer({"/": "ok"}, tls=stranger.server) as server:
        message = failure(run, Unreachable, {"uri": server.url})
    assert message == (
        f"{server.url}: the certificate of 127.0.0.1 is not trusted: "
        "IP address mismatch, certificate is not valid for '127.0.0.1'"
    )


def test_a_server_that_does_not_speak_tls(run: Any) -> None:
    with HttpServer({"/": "ok"}) as server:
        url = server.url.replace("http:", "https:")
        message = failure(run, Unreachable, {"uri": url})
    assert message.startswith(f"{url}: 127.0.0.1 does not speak TLS as expected: ")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_can_not_be_read(run: Any, ctx: PlainContext, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    ctx.environment = {"SSL_CERT_FILE": str(file)}
    message = failure(run, Invalid, {"uri": "https://127.0.0.1"})
    assert message.startswith(f"SSL_CERT_FILE: the certificates in `{file}` can't be read: ")
    assert message.endswith("\n  expected: certificates of authorities in PEM form")


Routes = Callable[[threading.Event, threading.Event], dict[str, Route]]


def silent(reached: threading.Event, done: threading.Event) -> dict[str, Route]:
    def route(_: Received) -> Reply:
        reached.set()
        done.wait(PATIENCE)
        return "late"

    return {"/": route}


def trickling(reached: threading.Event, done: threading.Event) -> dict[str, Route]:
    def pieces() -> Iterator[bytes]:
        yield b"first"
        reached.set()
        done.wait(PATIENCE)

    return {"/": lambda _: Answer(pieces())}


@pytest.mark.parametrize("task", [Request, Download])
@pytest.mark.parametrize("routes", [silent, trickling])
@pytest.mark.parametrize("secure", [False, True])
def test_a_stop_ends_a_running_request_at_once(
    run: Any, ctx: PlainContext, authority: Any, task: Any, routes: Routes, secure: bool
) -> None:
    reached, done = threading.Event(), threading.Event()
    context: ssl.SSLContext | None = authority.server if secure else None
    ctx.environment = {"SSL_CERT_FILE": str(authority.pem)}

    def stop() -> None:
        reached.wait(PATIENCE)
        ctx.stop()

    stopper = threading.Thread(target=stop)
    with HttpServer(routes(reached, done), tls=context) as server:
        stopper.start()
        with pytest.raises(Interrupted) as stopped:
            run(task, {"uri": server.url})
        assert not done.is_set()
        done.set()
        stopper.join()
    assert str(stopped.value) == f"{server.url}: the request was stopped"


def test_a_task_that_was_stopped_before_sends_nothing(run: Any, ctx: PlainContext) -> None:
    ctx.stop()
    with HttpServer({"/": "ok"}) as server, pytest.raises(Interrupted):
        run(Request, {"uri": server.url})
    assert server.requests == []
