"""Many records told at once: what ran, what depends on what, what a list amounts to."""

from __future__ import annotations

from typing import Any

from litestar import Response

from core.host.services import Services
from core.host.views import OutputFilter
from tailrace_server.answers import json_answer
from tailrace_server.asked import Asked, Parameter
from tailrace_server.described import Gives, route
from tailrace_server.ids import known_id
from tailrace_server.outputs import FILTERS, conditions_of
from tailrace_server.schemas.overviews import (
    Figures,
    LineageObject,
    Outline,
    figures_object,
    lineage_object,
    outline_object,
)  # fmt: skip

OVER_TIME = Parameter(
    "over_time", "A numeric field of `summary`, by its path: its newest 500 values are told too.", example="rows"
)


@route("GET", "/flow-executions/{id:str}/outline", Gives(Outline, "What ran."), refuses=(404,))
def outline_flow_execution(id: str, services: Services) -> Response[Any]:
    """What ran in a flow execution, one for each task.

    A loop is told by its tasks, however often it went round.
    """
    return json_answer(outline_object(services.executions.outline(known_id(id, "flow execution"))))


@route(
    "GET", "/task-outputs/figures", Gives(Figures, "What they amount to."), asks=(*FILTERS, OVER_TIME), refuses=(404,)
)  # fmt: skip
def figures_of_task_outputs(services: Services, asked: Asked) -> Response[Any]:
    """What the task outputs of some filters amount to.

    How many there are of each day and status, how long tasks took, and which numbers summaries have: of the newest
    20 000 rows.
    """
    which = OutputFilter(**conditions_of(asked))
    path = asked["over_time"]
    points = None if path is None else services.outputs.summary_over_time(which, path)
    return json_answer(figures_object(services.outputs.figures(which), points))


@route("GET", "/task-outputs/{id:str}/lineage", Gives(LineageObject, "Both sides of it."), refuses=(404,))
def lineage_of_task_output(id: str, services: Services) -> Response[Any]:
    """What a task output was made from, and who read it.

    Told by what was read when properties were rendered and conditions evaluated, inside of its flow execution.
    """
    return json_answer(lineage_object(services.outputs.lineage(known_id(id, "task output"))))


ROUTES = (outline_flow_execution, figures_of_task_outputs, lineage_of_task_output)
