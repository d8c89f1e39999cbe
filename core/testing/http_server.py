"""A real HTTP(S) server on loopback for tests: routes in, received requests out."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from attrs import field, frozen

Body = str | bytes | Path | Iterable[bytes]


@frozen
class Received:
    """A request as it came in.

    target: as sent; absolute (`http://host/path`) when the server is used as a proxy. path: target without the query.
    headers: names in lower case, repeated ones joined by a comma.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@frozen
class Answer:
    """What a route answers.

    body: text, bytes, a file (sent by the kernel, however large) or pieces; pieces go out as they come and the
    connection is closed at their end. headers: a `Content-Length` given here is sent as it is, even when it is wrong;
    a list of pairs may repeat a name. reason: the words behind the status, by default the usual ones.
    """

    body: Body = b""
    status: int = 200
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = field(factory=dict)
    reason: str | None = None


Reply = Body | Answer
Route = Reply | Callable[[Received], Reply]


def json_answer(value: object, status: int = 200) -> Answer:
    """An answer of `application/json`."""
    return Answer(json.dumps(value), status, {"Content-Type": "application/json"})


class HttpServer:
    """A server that runs while its `with` block does, one thread a connection.

    routes: path (without query) → answer, or a function of the request that gives one; anything else is 404.
    tls: a server-side context makes it an HTTPS server. What a route raises is raised again at the end of the block.

        with HttpServer({"/products": json_answer([1, 2])}) as server:
            fetch(server.url + "/products")
            assert server.requests[0].method == "GET"
    """

    def __init__(self, routes: Mapping[str, Route], *, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(dict(routes), tls)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Received]:
        """Every request so far, in the order they came."""
        return self._server.received

    def __enter__(self) -> HttpServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        if error is None and self._server.failures:
            raise self._server.failures[0]


class _Server(ThreadingHTTPServer):
    # Waiting for the threads at the end would wait for a route that hangs on purpose.
    block_on_close = False
    daemon_threads = True

    def __init__(self, routes: dict[str, Route], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes = routes
        self.tls = tls
        self.received: list[Received] = []
        self.failures: list[BaseException] = []
        self._connections: set[socket.socket] = set()

    def server_bind(self) -> None:
        # The parent looks its own name up in the DNS, which can take seconds.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls is not None:
            # The handshake happens in the connection's own thread, with its first read.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in tuple(self._connections):
            try:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue  # its own thread was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        client_went_away = isinstance(error, (ConnectionError, ssl.SSLError))
        if error is not None and not client_went_away:
            self.failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet, or else the client's delayed ACK costs 40 ms.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def answer(self) -> None:
        request = Received(
            self.command,
            self.path,
            {name.lower(): ", ".join(self.headers.get_all(name, [])) for name in self.headers},
            self._read_body(),
        )
        self.server.received.append(request)
        route = self.server.routes.get(request.path, Answer(f"no route {request.path}", 404))
        given = route(request) if callable(route) else route
        self._write(given if isinstance(given, Answer) else Answer(given))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _write(self, answer: Answer) -> None:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        headers = list(answer.headers.items() if isinstance(answer.headers, Mapping) else answer.headers)
        self.send_response(answer.status, answer.reason)
        for name, value in headers:
            self.send_header(name, value)
        if isinstance(body, (bytes, Path)) and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body) if isinstance(body, bytes) else body.stat().st_size))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self._write_body(body)
        self.wfile.flush()

    def _write_body(self, body: bytes | Path | Iterable[bytes]) -> None:
        if isinstance(body, bytes):
            self.wfile.write(body)
        elif isinstance(body, Path):
            self.wfile.flush()
            with body.open("rb") as file:
                self.connection.sendfile(file)
        else:
            for piece in body:
                self.wfile.write(piece)
                self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `requests` instead."""
