"""`POST /eval`: expressions in the recorded context of an execution."""

from __future__ import annotations

from typing import Any

from litestar import Response

from core.host.services import Services
from tailrace_server.answers import json_answer
from tailrace_server.described import Gives, route
from tailrace_server.ids import known_id
from tailrace_server.schemas.evaluations import Evaluated, ExpressionGiven


@route("POST", "/eval", Gives(Evaluated, "What it gave."), takes=ExpressionGiven, refuses=(403, 404, 413))
def evaluate(services: Services, given: ExpressionGiven) -> Response[Any]:
    """Evaluate an expression in the recorded context of an execution or of one of its tasks.

    The engine's own evaluator, under limits of time and size; `secret()` is refused. Nothing is changed.
    """
    execution_id = known_id(given.flow_execution_id, "flow execution")
    found = services.evaluator.evaluate(execution_id, given.expression, task_name=given.task_name, value=given.value)
    return json_answer({"text": found.text, "value": found.value, "type": found.type})


ROUTES = (evaluate,)
