"""What results mean for the flow: its outputs get their declared types, what failed its place in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import Any

from core.errors import TailraceError
from core.expressions.values import printed
from core.host.seam import EvaluationResult
from core.loading import parse_yaml, place_of
from core.model.codec import SecretText, decode
from core.model.flow import Flow, FlowOutput, type_output
from core.model.messages import ROOT, EvaluationKey
from core.model.nodes import Each
from core.planner import BREAK, OUTPUTS_OF

Seal = Callable[[], Callable[[str], object] | None]
"""Says what a text of the type SECRET is kept as; None without a key."""
_NO_OUTPUTS = "Failed to render output values"
"""In the reference's words."""
_PROPERTIES = {
    "run_if": ("runIf",), "branch": ("condition", "value"), "values": ("values", "value"), "until": ("condition",),
    OUTPUTS_OF: ("outputs",), BREAK: ("breakWhen",),
}  # fmt: skip
"""Which property of a task an evaluation was for, by its purpose; of iterations a turn stands behind it."""


def placed(flow: Flow, task_id: str, error: str) -> str:
    """An error of a task's property, with its line and column in the flow: `$.format, line 7, column 13: …`."""
    if not error.startswith("$.") or not flow.source:
        return error
    where, _, what = error.partition(": ")
    position = place_of(flow.source, task_id, where)
    return f"{where}, line {position[0]}, column {position[1]}: {what}" if position else error


def _placed_answer(flow: Flow, key: EvaluationKey, error: str) -> str:
    step = next((step for step in flow.steps() if step.id == key.task.task_id), None)
    for name in _PROPERTIES.get(key.purpose.rstrip(" 0123456789"), ()):
        if step is not None and (name in step.properties or name == "runIf"):
            return placed(flow, step.id, f"$.{name}: {error}")
    return error


def typed_outputs(flow: Flow, key: EvaluationKey, result: EvaluationResult, seal: Seal) -> tuple[Any, str]:
    """(value, error) for the planner. Outputs of the flow, and of iterations, are typed; all else stays as rendered."""
    if result.error or result.value is None:
        if key.task != ROOT:
            return None, _placed_answer(flow, key, result.error)
        return None, f"{_NO_OUTPUTS}: {result.error}"
    value = decode(result.value)
    try:
        if key.purpose.startswith(OUTPUTS_OF):
            return _typed(_of_iterations(flow, key.task.task_id), value, seal), ""
        return (_typed(flow.outputs, value, seal) if key.task == ROOT else value), ""
    except TailraceError as error:
        why = _NO_OUTPUTS if key.task == ROOT else "the iteration's outputs can't be typed"
        return None, f"{why}: {error}"


def _of_iterations(flow: Flow, task_id: str) -> list[FlowOutput]:
    node = next(step.node for step in flow.steps() if step.id == task_id)
    return [FlowOutput(one.id, one.type, one.value) for one in node.outputs] if isinstance(node, Each) else []


def _typed(declared: Iterable[FlowOutput], value: Mapping[str, Any], seal: Seal) -> dict[str, Any]:
    """Raises InvalidInput."""
    outputs = {}
    for output in declared:
        given = value[output.id]
        if output.type == "STRING" and isinstance(given, (dict, list)):
            given = printed(given, UTC)
        if not isinstance(given, SecretText):
            given = type_output(output, given, parse_yaml, seal() if output.type == "SECRET" else None)
        outputs[output.id] = given
    return outputs
