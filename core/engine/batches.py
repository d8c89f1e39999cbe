"""The hidden tasks of a ForEachItem: what they read of each other, and of which batch a child execution is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.engine.variables import Variables
from core.host.seam import FileLine, OutputText
from core.model.codec import decode
from core.model.messages import EvaluationKey
from core.model.nodes import Call, Step

_BEFORE = {"_items": "_split", "_merge": "_items"}


def before(step: Step) -> str:
    """The hidden task before this one, "" when it is none: it is meant as it ran for the same values of the loops."""
    split_or_items = isinstance(step.node, Call) and step.node.times is not None
    suffix = "_items" if split_or_items else "_merge" if step.type == "flow.ForEachItemMerge" else ""
    return step.id.removesuffix(suffix) + _BEFORE[suffix] if suffix else ""


def with_outputs_before(variables: dict[str, Any], step: Step, known: Variables, path: tuple[str, ...]) -> None:
    """Let a hidden task read the output of the one before it by its plain name, below loops too."""
    name = before(step)
    if name and path and name in variables["outputs"]:
        variables["outputs"] = {**variables["outputs"], name: known.at(name, path)}


def batch(step: Step, asked: EvaluationKey, known: Variables) -> Mapping[str, Any]:
    """What the request of child number `round` sees besides: `taskrun.items`, the URI of its batch, and
    `taskrun.iteration`.
    """
    output = known.at(before(step), asked.task.path)
    if not isinstance(output, OutputText):
        return {"iteration": asked.round}
    return {"items": FileLine(decode(output.text)["splits"], asked.round), "iteration": asked.round}
