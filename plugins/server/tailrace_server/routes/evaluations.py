"""`POST /eval`: expressions in the recorded context of an execution."""

from __future__ import annotations

from typing import Any

from litestar import Response

from core.host.services import Services
from tailrace_server.answers import json_answer
from tailrace_server.described import Gives, route
from tailrace_server.errors import Refused
from tailrace_server.schemas.evaluations import Evaluated, ExpressionGiven


@route("POST", "/eval", Gives(Evaluated, "What it gave."), takes=ExpressionGiven, refuses=(403, 404, 413))
def evaluate(services: Services, given: ExpressionGiven) -> Response[Any]:
    """Evaluate an expression in the recorded context of an execution or of one of its tasks.

    The engine's own evaluator, under limits of time and size; `secret()` is refused. Nothing is changed.
    """
    execution_id, task_name, value = _place(services, given)
    found = services.evaluator.evaluate(execution_id, given.expression, task_name=task_name, value=value)
    return json_answer({"text": found.text, "value": found.value, "type": found.type})


def _place(services: Services, given: ExpressionGiven) -> tuple[str, str | None, str | None]:
    """The execution, the task and the values of the loops around it, whose context is meant. Raises Refused."""
    if (given.flow_execution_id is None) == (given.task_execution_id is None):
        details = [("$.flow_execution_id", "expected, or `task_execution_id` in its place")]
        raise Refused(422, "whose context is meant is not said", details=details)
    if given.task_execution_id is None:
        return str(given.flow_execution_id), given.task_name, given.value
    view = services.outputs.get(given.task_execution_id)
    return view.flow_execution_id, view.task_name, "/".join(view.path) if view.path else None


ROUTES = (evaluate,)
