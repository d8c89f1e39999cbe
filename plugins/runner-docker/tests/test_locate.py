from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tailrace_runner_docker.locate import find_engine
from tailrace_runner_docker.runner import Docker

PONG = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK"
Serve = Callable[[Path, bytes | None], None]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer at sockets; with None say nothing at all."""
    listeners: list[tuple[socket.socket, threading.Thread]] = []

    def start(path: Path, answer: bytes | None) -> None:
        listener = socket.socket(socket.AF_UNIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=answer_all, args=(listener, answer))
        thread.start()
        listeners.append((listener, thread))

    yield start
    for listener, thread in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def answer_all(listener: socket.socket, answer: bytes | None) -> None:
    silent = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # shut down
            break
        if answer is None:
            silent.append(connection)
        else:
            with closing(connection):
                connection.recv(1024)
                connection.sendall(answer)
    for connection in silent:
        connection.close()


def test_no_engine_is_known_at_once_and_says_what_was_tried(tmp_path: Path) -> None:
    reason = Docker.unavailable({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert reason == f"no container engine answers (tried unix://{tmp_path}/none.sock: not there)"


def test_a_silent_engine_is_not_waited_for(tmp_path: Path, serve: Serve) -> None:
    serve(tmp_path / "s", None)
    reason = Docker.unavailable({"DOCKER_HOST": f"unix://{tmp_path}/s"})
    assert reason == f"no container engine answers (tried unix://{tmp_path}/s: no answer in time)"


def test_the_host_comes_before_the_environment(tmp_path: Path, serve: Serve) -> None:
    serve(tmp_path / "s", PONG)
    assert find_engine(f"unix://{tmp_path}/s", {"DOCKER_HOST": "unix:///none"}).url == f"unix://{tmp_path}/s"


def test_podmans_socket_stands_in(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(tmp_path / "podman" / "podman.sock", PONG)
    monkeypatch.setattr("tailrace_runner_docker.locate.DOCKER_SOCKET", f"unix://{tmp_path}/none")
    found = find_engine("", {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert (found.url, found.reason) == (f"unix://{tmp_path}/podman/podman.sock", "")


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("tcp://127.0.0.1:9", "connection refused"),
        ("127.0.0.1:9", "connection refused"),
        ("tcp://127.0.0.1:port", "port could not be cast to integer value as 'port'"),
        ("npipe:////./pipe/docker_engine", "not an address of an engine (unix://, tcp://, http(s):// or ssh://)"),
        ("unix:///etc/hostname", "not a socket"),
    ],
)
def test_an_address_that_does_not_answer_says_why(host: str, problem: str) -> None:
    (tried,) = find_engine(host, {}).tried
    assert tried == f"{host if '://' in host else 'tcp://' + host}: {problem}"


def test_something_else_at_the_address_is_not_an_engine(tmp_path: Path, serve: Serve) -> None:
    serve(tmp_path / "s", b"HTTP/1.0 404 Not Found\r\n\r\n")
    (tried,) = find_engine(f"unix://{tmp_path}/s", {}).tried
    assert tried.endswith(": something else answers there")


def test_asking_imports_neither_the_sdk_nor_an_http_client() -> None:
    code = (
        "import sys; from tailrace_runner_docker.runner import Docker; Docker.unavailable({});"
        "print([name for name in ('docker', 'requests', 'urllib3', 'http.client') if name in sys.modules])"
    )
    asked = subprocess.run((sys.executable, "-c", code), check=True, capture_output=True, text=True)
    assert asked.stdout == "[]\n"
