"""Which container engine answers: asked with a plain socket, so that nothing is imported and nobody waits."""

from __future__ import annotations

import socket
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

PATIENCE = 0.25
"""Seconds in which some engine must answer, all candidates together."""

LONGEST_ANSWER = 4096
DOCKER_SOCKET = "unix:///var/run/docker.sock"
WAYS_OUT = (
    "start Docker, or Podman with its socket (`systemctl --user start podman.socket`), or name the engine by `host` "
    "or DOCKER_HOST; or run the task as a process (`taskRunner: {type: runner.Process}`)"
)


@frozen
class Found:
    """The engine that answers, or "" and what was tried: `address: why not`, for each."""

    url: str = ""
    tried: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why there is none, or "" when there is one."""
        return "" if self.url else f"no container engine answers (tried {'; '.join(self.tried)})"


def find_engine(host: str, environment: Mapping[str, str], patience: float = PATIENCE) -> Found:
    """The first engine that answers: `host` or DOCKER_HOST where given, else the usual sockets of Docker and Podman."""
    deadline = time.monotonic() + patience
    tried = []
    for url in _candidates(host, environment):
        problem = _ask(url, max(deadline - time.monotonic(), 0.01), secured=_secured(environment))
        if not problem:
            return Found(url)
        tried.append(f"{url}: {problem}")
    return Found(tried=tuple(tried))


def _candidates(host: str, environment: Mapping[str, str]) -> Iterator[str]:
    if named := host or environment.get("DOCKER_HOST", ""):
        yield named if "://" in named else f"tcp://{named}"
        return
    yield DOCKER_SOCKET
    if home := environment.get("HOME"):
        yield f"unix://{home}/.docker/run/docker.sock"
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield f"unix://{runtime}/docker.sock"
        yield f"unix://{runtime}/podman/podman.sock"
    yield "unix:///run/podman/podman.sock"


def _secured(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("DOCKER_TLS_VERIFY") or environment.get("DOCKER_CERT_PATH"))


def _ask(url: str, patience: float, *, secured: bool) -> str:
    """Why the engine at an address does not answer, or "" when it does."""
    place = urlsplit(url)
    try:
        if place.scheme == "unix":
            return _ask_socket(place.path, patience)
        if place.scheme not in ("tcp", "http", "https"):
            return "" if place.scheme == "ssh" else "not an address of an engine (unix://, tcp://, http(s):// or ssh://)"
        port = place.port or (2376 if secured else 2375)
        with socket.create_connection((place.hostname or "", port), timeout=patience) as connection:
            return "" if secured or place.scheme == "https" else _ping(connection)
    except PermissionError:
        return "permission denied (is this user in the group `docker`?)"
    except TimeoutError:
        return "no answer in time"
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error).lower()


def _ask_socket(path: str, patience: float) -> str:
    try:
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            return "not a socket"
    except FileNotFoundError:
        return "not there"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(patience)
        connection.connect(path)
        return _ping(connection)


def _ping(connection: socket.socket) -> str:
    connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
    answer = b""
    while len(answer) < LONGEST_ANSWER and (chunk := connection.recv(LONGEST_ANSWER)):
        answer += chunk
    return "" if answer.split(b"\r\n", 1)[0].endswith(b" 200 OK") else "something else answers there"
