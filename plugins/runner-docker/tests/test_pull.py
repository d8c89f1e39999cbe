"""Pulls against an engine that only knows how to answer them: no registry is needed to see what is sent."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from attrs import Factory, define

from core.sdk import Command, Interrupted, Invalid, Unreachable
from core.sdk.containers import Credentials
from core.testing.plain_context import PlainContext
from tailrace_runner_docker.runner import Docker


@define
class Engine:
    """An engine without images. answers: the lines of every pull. logins: what was sent with them."""

    url: str
    answers: list[dict[str, Any]] = Factory(list)
    logins: list[dict[str, str]] = Factory(list)
    paths: list[str] = Factory(list)


@pytest.fixture
def engine() -> Iterator[Engine]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/_ping":
                self.reply(200, b"OK")
            elif self.path == "/version":
                self.reply(200, b'{"ApiVersion": "1.41"}')
            else:
                self.reply(404, b'{"message": "No such image: img:1"}')

        def do_POST(self) -> None:
            known.paths.append(self.path)
            if login := self.headers.get("X-Registry-Auth"):
                known.logins.append(json.loads(base64.urlsafe_b64decode(login)))
            self.protocol_version = "HTTP/1.1"
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for answer in known.answers:
                line = json.dumps(answer).encode() + b"\r\n"
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = Engine(f"tcp://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield known
        server.shutdown()
        thread.join()


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path)


def pull(ctx: PlainContext, runner: Docker, image: str = "reg.example/img:1") -> None:
    runner.run(ctx, Command(("true",), ctx.working_dir, lambda stream, line: None, image=image))


def test_a_refused_pull_tells_what_the_registry_said(ctx: PlainContext, engine: Engine) -> None:
    engine.answers = [{"status": "Pulling"}, {"error": "pull access denied for reg.example/img"}]
    with pytest.raises(Unreachable) as caught:
        pull(ctx, Docker(host=engine.url))
    assert str(caught.value) == (
        "The image `reg.example/img:1` can't be pulled: pull access denied for reg.example/img\n"
        "  to do: see whether its name is right and its registry can be reached; for a private one give `credentials`; "
        "an image that was made on this machine needs no pull (`pullPolicy: IF_NOT_PRESENT`)"
    )


def test_only_one_tag_is_pulled(ctx: PlainContext, engine: Engine) -> None:
    with pytest.raises(Unreachable):
        pull(ctx, Docker(host=engine.url), "reg.example/img")
    assert engine.paths == ["/v1.41/images/create?tag=latest&fromImage=reg.example%2Fimg"]


def test_credentials_are_sent(ctx: PlainContext, engine: Engine) -> None:
    login = Credentials(registry="reg.example", username="me", password="secret")
    with pytest.raises(Unreachable):
        pull(ctx, Docker(host=engine.url, credentials=login))
    assert engine.logins == [{"serveraddress": "reg.example", "username": "me", "password": "secret"}]


@pytest.mark.parametrize("as_text", [True, False])
def test_the_configuration_gives_the_login_of_the_images_registry(
    ctx: PlainContext, engine: Engine, as_text: bool
) -> None:
    auth = base64.b64encode(b"me:secret").decode()
    config = {"auths": {"other.example": {"auth": "eDp5"}, "reg.example": {"auth": auth}}}
    with pytest.raises(Unreachable):
        pull(ctx, Docker(host=engine.url, config=json.dumps(config) if as_text else config))
    (login,) = engine.logins
    assert (login["username"], login["password"], login["serveraddress"]) == ("me", "secret", "reg.example")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "`config` is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[1]", "`config` is not a map"),
    ],
)
def test_a_wrong_configuration_is_refused(ctx: PlainContext, engine: Engine, config: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        pull(ctx, Docker(host=engine.url, config=config))
    assert str(caught.value) == f'{message}\n  expected: a Docker configuration, {{"auths": {{…}}}}'


def test_a_stop_ends_a_pull(ctx: PlainContext, engine: Engine) -> None:
    engine.answers = [{"status": "Pulling"}]
    ctx.stop()
    with pytest.raises(Interrupted) as caught:
        pull(ctx, Docker(host=engine.url))
    assert str(caught.value) == "The pull of `reg.example/img:1` was stopped"


def test_a_directory_can_not_be_shared_with_another_machine(ctx: PlainContext, engine: Engine) -> None:
    with pytest.raises(Invalid) as caught:
        pull(ctx, Docker(host=engine.url, file_handling_strategy="MOUNT"))
    assert str(caught.value) == (
        "fileHandlingStrategy: The working directory can't be shared with a container engine that may be on another "
        "machine\n  expected: VOLUME, or an engine reached by a unix:// socket"
    )


def test_without_an_engine_the_ways_out_are_told(ctx: PlainContext) -> None:
    with pytest.raises(Unreachable) as caught:
        pull(ctx, Docker(host="tcp://127.0.0.1:9"))
    assert str(caught.value) == (
        "No container engine answers (tried tcp://127.0.0.1:9: connection refused)\n"
        "  to do: start Docker, or Podman with its socket (`systemctl --user start podman.socket`), or name the engine "
        "by `host` or DOCKER_HOST; or run the task as a process (`taskRunner: {type: runner.Process}`)"
    )
