"""Two executions side by side."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from core.host.services import Services
from tailrace_server.answers import json_answer
from tailrace_server.asked import Asked, Parameter
from tailrace_server.described import Gives, route
from tailrace_server.ids import known_id
from tailrace_server.options import Options
from tailrace_server.schemas.comparisons import Comparison, comparison_object

WITH = Parameter("with", "The id of the execution to be compared with this one.", "id", required=True)
LIMIT = Parameter("limit", "How many values are told at most; others are only counted.", "whole", least=1, most=1000,
                  default=1000)  # fmt: skip


@route(
    "GET", "/flow-executions/{id:str}/compare", Gives(Comparison, "Where they differ."), asks=(WITH, LIMIT),
    refuses=(404,),
)  # fmt: skip
def compare_flow_executions(
    id: str, request: Request[Any, Any, Any], services: Services, asked: Asked
) -> Response[Any]:
    """Compare the outputs of two flow executions.

    Values are matched by task, loop values and name, and compared by their meaning: maps whatever the order of their
    keys, numbers by their value, lists of maps as tables, files by their bytes. Of a task that ran more than once in
    an execution the last output counts.
    """
    first = known_id(id, "flow execution")
    found = services.outputs.compare(first, asked["with"], limit=asked["limit"])
    options: Options = request.app.state.options
    return json_answer(comparison_object(found, options.max_result))


ROUTES = (compare_flow_executions,)
