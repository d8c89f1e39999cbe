"""Runs the application: uvicorn on a socket of ours, until a signal asks it to end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from core.host.deployment import Deployment, Serving
from core.sdk import Invalid, Unreachable
from tailrace_server.app import Application, make_app
from tailrace_server.options import Options
from tailrace_server.patience import PatientProtocol
from tailrace_server.signals import signals

GRACE = 10
"""Seconds that answers have to end after the first signal; what streams without an end is told at once."""


class Server(uvicorn.Server):
    """uvicorn that ends well when it is told to end: no signal is raised again."""

    def __init__(self, app: Application, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app, lifespan="on", log_config=None, log_level="critical", access_log=False, server_header=False,
            proxy_headers=False, timeout_graceful_shutdown=GRACE, ws="none", http=PatientProtocol,
        )  # fmt: skip
        super().__init__(config)
        self._app = app
        self._ready = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def end(self) -> None:
        """Take no more requests, let those that are there come to their end."""
        if not self.should_exit:  # a second signal in the middle of `set` would wait for itself
            self.should_exit = True
            self._app.state.closing.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with signals(self._asked_to_end):
            yield

    def _asked_to_end(self) -> None:
        self.force_exit = self.should_exit
        self.end()


def serve(deployment: Deployment, options: Options, engine: Serving | None, started: Callable[[str], None]) -> None:
    """Answer requests until SIGTERM or SIGINT. engine: worked with from the start to the end of this.

    started: called with the URL once requests are answered. Raises Invalid when others could reach a server that asks
    for no key, Unreachable when the address can't be listened at.
    """
    if not options.loopback and not deployment.keys.exist():
        raise Invalid(
            f"without any API key only this machine may reach the server, not {options.host}",
            where="--host", expected="127.0.0.1",
            hint="api-keys create --organization ORG --role admin makes a key",
        )  # fmt: skip
    with listening(options) as listener:
        url = url_of(listener, options)
        server = Server(make_app(deployment, options, engine), lambda: started(url))
        with signals(server.end):  # uvicorn looks at them only once it runs
            if engine is not None:
                engine.start()
            try:
                if not server.should_exit:
                    server.run(sockets=[listener])
            finally:
                if engine is not None:
                    engine.close()


@contextmanager
def listening(options: Options) -> Iterator[socket.socket]:
    """A socket at the server's address. Raises Unreachable."""
    where = f"{options.host}:{options.port}"
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)  # named, since asyncio sets TCP_NODELAY only then
    except OSError as error:
        raise Unreachable(f"there is no such address: {error.strerror}", where=where) from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            hint = "--port 0 takes a free one"
            raise Unreachable(f"the server can't listen here: {error.strerror}", where=where, hint=hint) from error
        yield listener


def url_of(listener: socket.socket, options: Options) -> str:
    """Where the API is."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{listener.getsockname()[1]}/api/v1"
