"""What the tests of this plugin run tasks with: a plain context, a certificate authority, a proxy."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from core.registry.convert import convert
from core.sdk import RunnableTask, to_plain
from core.testing.plain_context import PlainContext

Run = Callable[[type[RunnableTask], Mapping[str, Any]], dict[str, Any]]


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path, environment={})


@pytest.fixture
def run(ctx: PlainContext) -> Run:
    """Run a task by its properties as written in YAML; gives its output under the names expressions see."""

    def run_task(task: type[RunnableTask], properties: Mapping[str, Any]) -> dict[str, Any]:
        output: dict[str, Any] = to_plain(convert(properties, task).run(ctx))
        return output

    return run_task


class Authority:
    """A certificate authority of its own. server: for an HTTPS server. pem: its certificate, to be trusted."""

    def __init__(self, folder: Path, *names: str) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(self.server)
        self.pem = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.pem))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "127.0.0.1", "api.test")


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """One whose certificate is for another host."""
    return Authority(tmp_path, "other.test")


class Relay:
    """A proxy that speaks CONNECT and SOCKS5, and takes every host for this machine.

    asked: what it was asked for, as `CONNECT host:port` or `SOCKS host:port`; authorizations: what came with it.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for connection in (self._listener, *self._open):
            with suppress(OSError):  # the other side was faster
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        speaks_socks = client.recv(1, socket.MSG_PEEK) == b"\x05"
        port = self._greet_socks(client) if speaks_socks else self._greet_http(client)
        server = socket.create_connection(("127.0.0.1", port))
        self._open.append(server)
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        _pump(client, server)

    def _greet_http(self, client: socket.socket) -> int:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        method, target, *_ = head.decode().split()
        self.asked.append(f"{method} {target}")
        self.authorizations += [line for line in head.decode().splitlines() if line.startswith("Proxy-Authorization")]
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return int(target.rpartition(":")[2])

    def _greet_socks(self, client: socket.socket) -> int:
        client.recv(client.recv(2)[1])
        client.sendall(b"\x05\x00")
        head = client.recv(5)
        host = client.recv(head[4]).decode()
        port = int.from_bytes(client.recv(2))
        self.asked.append(f"SOCKS {host}:{port}")
        client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        return port


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(1 << 16):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()
