"""The routes of the API, one file per resource.

A new one: (1) its shapes are attrs classes in `tailrace_server/schemas/`; a row of a list with `fields` is a …Row;
(2) here, a plain function under `@route(METHOD, PATH, Gives(Shape, "text"), role=…, asks=PARAMETERS, takes=BodyShape)`;
(3) it takes by name `services: Services`, `caller: Caller`, `asked: Asked`, `given: BodyShape`, `request`, and what is
in the path (`known_id` checks ids), and gives `json_answer(…)` or `nothing()`; errors of the services pass through;
(4) the file's ROUTES name it. The API's document, its page and the tests that walk all routes know it from then on.
"""

from __future__ import annotations

from litestar import Router

from tailrace_server.described import options_of
from tailrace_server.routes import (
    audit,
    comparisons,
    evaluations,
    events,
    files,
    flow_executions,
    flows,
    health,
    overviews,
    reference,
    task_executions,
    task_outputs,
)  # fmt: skip

RESOURCES = (
    task_outputs, flow_executions, comparisons, overviews, task_executions, flows, files, evaluations, events, audit,
    health, reference,
)  # fmt: skip
PREFIX = "/api/v1"
HANDLERS = [handler for module in RESOURCES for handler in module.ROUTES]
ROUTES = [Router(PREFIX, route_handlers=[*options_of(HANDLERS), *HANDLERS])]
