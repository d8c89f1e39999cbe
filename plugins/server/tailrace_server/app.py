"""The application: Litestar routes inside of the edge, over one installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from core.host.deployment import Deployment, Serving
from tailrace_server.access import Gate
from tailrace_server.edge import Edge
from tailrace_server.errors import failure_of
from tailrace_server.listening import Listeners
from tailrace_server.metrics import Metrics
from tailrace_server.options import Options
from tailrace_server.pages import PAGES
from tailrace_server.pages.looks import Looks
from tailrace_server.pages.wrong import Answer
from tailrace_server.routes import ROUTES


class Application(Litestar):
    """Litestar, with the edge around whatever it is asked over HTTP."""

    edge: Edge

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        if scope["type"] == ScopeType.HTTP:
            await self.edge(scope, receive, send)  # type: ignore[arg-type]
        else:
            await super().__call__(scope, receive, send)


def make_app(deployment: Deployment, options: Options, engine: Serving | None = None) -> Application:
    """The API of an installation. engine: the one of this process, if it has one; nobody starts or closes it here."""
    metrics = Metrics()
    looks = Looks(deployment.title, deployment.version)
    closing = Event()
    app = Application(
        route_handlers=[*ROUTES, *PAGES],
        exception_handlers={Exception: _answer_error},
        lifespan=[_threads(options.threads)],
        request_max_body_size=options.max_request,
        openapi_config=None,
        logging_config=None,
        state=State({
            "deployment": deployment, "options": options, "engine": engine, "metrics": metrics, "closing": closing,
            "listeners": Listeners(closing, options.note), "rooms": {}, "looks": looks,
        }),
    )  # fmt: skip
    gate = Gate(deployment, loopback=options.loopback)
    app.edge = Edge(super(Application, app).__call__, options, gate, metrics, looks)
    return app


def _threads(number: int) -> Any:
    """Services are called in threads of a pool that belongs to the event loop."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        with ThreadPoolExecutor(number, thread_name_prefix="request") as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            await asyncio.to_thread(_keep_events, app.state.deployment)
            yield

    return lifespan


def _keep_events(deployment: Deployment) -> None:
    """From the first request on `GET /events` has everything, whoever asks for it when."""
    deployment.services(deployment.organization).feed.last()


def _answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    request_id: str = request.scope["state"]["request_id"]
    app: Any = request.app
    if failure_of(error).explained:
        app.edge.explain(error, request_id)
    answer: Answer = app.edge.failed(error, request.scope, request.headers)
    return Response(answer.body, status_code=answer.status, headers=answer.headers)
