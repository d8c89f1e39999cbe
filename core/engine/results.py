"""What evaluations mean for the flow: its outputs get their declared types."""

from __future__ import annotations

from typing import Any

from core.errors import TailraceError
from core.host.seam import EvaluationResult
from core.loading import parse_yaml
from core.model.codec import SecretText, decode
from core.model.flow import Flow, type_output
from core.model.messages import ROOT, EvaluationKey


def typed_outputs(flow: Flow, key: EvaluationKey, result: EvaluationResult) -> tuple[Any, str]:
    """(value, error) for the planner. The flow's outputs are typed; every other value stays as it was rendered."""
    if result.error or result.value is None:
        return None, f"the flow's outputs can't be rendered: {result.error}" if key.task == ROOT else result.error
    value = decode(result.value)
    if key.task != ROOT:
        return value, ""
    outputs = {}
    try:
        for output in flow.outputs:
            given = value[output.id]
            outputs[output.id] = given if isinstance(given, SecretText) else type_output(output, given, parse_yaml)
    except TailraceError as error:
        return None, f"the flow's outputs can't be typed: {error}"
    return outputs, ""
