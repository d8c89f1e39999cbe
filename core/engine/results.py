"""What results mean for the flow: its outputs get their declared types, what failed its place in the text."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from core.errors import TailraceError
from core.expressions.values import printed
from core.host.seam import EvaluationResult
from core.loading import parse_yaml, place_of
from core.model.codec import SecretText, decode
from core.model.flow import Flow, type_output
from core.model.messages import ROOT, EvaluationKey

_PROPERTIES = {
    "run_if": ("runIf",), "branch": ("condition", "value"), "values": ("values", "value"), "until": ("condition",),
}  # fmt: skip
"""Which property of a task an evaluation was for, by its purpose."""


def placed(flow: Flow, task_id: str, error: str) -> str:
    """An error of a task's property, with its line and column in the flow: `$.format, line 7, column 13: …`."""
    if not error.startswith("$.") or not flow.source:
        return error
    where, _, what = error.partition(": ")
    position = place_of(flow.source, task_id, where)
    return f"{where}, line {position[0]}, column {position[1]}: {what}" if position else error


def _placed_answer(flow: Flow, key: EvaluationKey, error: str) -> str:
    step = next((step for step in flow.steps() if step.id == key.task.task_id), None)
    for name in _PROPERTIES.get(key.purpose, ()):
        if step is not None and (name in step.properties or name == "runIf"):
            return placed(flow, step.id, f"$.{name}: {error}")
    return error


def typed_outputs(flow: Flow, key: EvaluationKey, result: EvaluationResult) -> tuple[Any, str]:
    """(value, error) for the planner. The flow's outputs are typed; every other value stays as it was rendered."""
    if result.error or result.value is None:
        if key.task != ROOT:
            return None, _placed_answer(flow, key, result.error)
        return None, f"the flow's outputs can't be rendered: {result.error}"
    value = decode(result.value)
    if key.task != ROOT:
        return value, ""
    outputs = {}
    try:
        for output in flow.outputs:
            given = value[output.id]
            if output.type == "STRING" and isinstance(given, (dict, list)):
                given = printed(given, UTC)
            outputs[output.id] = given if isinstance(given, SecretText) else type_output(output, given, parse_yaml)
    except TailraceError as error:
        return None, f"the flow's outputs can't be typed: {error}"
    return outputs, ""
