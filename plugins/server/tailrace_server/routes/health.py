"""`GET /health` and `GET /metrics`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litestar import Request, Response

from core.host.deployment import Deployment, Serving
from core.host.services import Services
from core.host.views import ExecutionFilter
from core.sdk import Unreachable
from tailrace_server.answers import json_answer
from tailrace_server.described import Gives, route
from tailrace_server.metrics import Metrics, family
from tailrace_server.options import Options
from tailrace_server.schemas.system import Health

PROMETHEUS = "text/plain; version=0.0.4"
GOING_ON = ("CREATED", "QUEUED", "RUNNING", "PAUSED", "RETRYING", "RESTARTED", "KILLING")
COUNTED = 1000
"""How many executions of a state are counted at most: a scrape must not cost what a report may."""


@route(
    "GET", "/health",
    Gives(Health, "Everything works."),
    Gives(Health, "A part does not work; requests that need it fail.", status=503),
    role=None,
)  # fmt: skip
def health(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whether the server can work.

    Asks for no key, and tells nothing that is not for everybody.
    """
    state = request.app.state
    deployment: Deployment = state.deployment
    engine: Serving | None = state.engine
    options: Options = state.options
    parts = {"records": "ok"}
    try:
        deployment.healthy()
    except Unreachable as error:
        options.note(f"not healthy: {error}")
        parts["records"] = "unavailable"
    if engine is not None:
        parts["engine"] = "ok" if engine.failure is None else "unavailable"
    well = set(parts.values()) == {"ok"}
    return json_answer({"status": "ok" if well else "unavailable", "parts": parts}, status=200 if well else 503)


@route("GET", "/metrics", Gives(None, "Metrics as Prometheus reads them.", media=("text/plain",)), role="admin")
def metrics(request: Request[Any, Any, Any], services: Services) -> Response[Any]:
    """Numbers about this server, for Prometheus.

    Requests by method, route and status with a histogram of their latency; executions of the key's organization that
    have not ended, by state (each counted up to 1000); executions this process works on; memory.
    """
    counted: Metrics = request.app.state.metrics
    engine: Serving | None = request.app.state.engine
    lines = [*counted.lines(), *_executions(services), *_process(engine)]
    return Response("\n".join([*lines, ""]).encode(), media_type=PROMETHEUS)


def _executions(services: Services) -> Iterator[str]:
    found = {state: services.executions.list(ExecutionFilter(state=(state,), limit=COUNTED)) for state in GOING_ON}
    text = f"Executions that have not ended, at most {COUNTED} of each state."
    yield from family("executions", "gauge", text, (({"state": name}, len(page.data)) for name, page in found.items()))


def _process(engine: Serving | None) -> Iterator[str]:
    if engine is not None:
        text = "Executions that the engine of this process works on."
        yield from family("engine_executions_owned", "gauge", text, [({}, engine.working_on())])
        text = "Whether the engine of this process works."
        yield from family("engine_up", "gauge", text, [({}, int(engine.failure is None))])
    pages = Path("/proc/self/statm")
    if pages.exists():  # elsewhere an agent of the machine has to say it
        size = int(pages.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        yield from family("process_resident_memory_bytes", "gauge", "Memory that the process holds.", [({}, size)])


ROUTES = (health, metrics)
