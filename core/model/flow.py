"""A flow as it was loaded: what a revision is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import InvalidInput
from core.model.data import data, field
from core.model.input_values import ParseYaml, Refused, shown, typed
from core.model.inputs import Input
from core.model.nodes import Sequence, Step, children_of


@data
class FlowOutput:
    """A value that a flow gives when it has ended; typed like an input."""

    id: str
    type: str
    value: object
    required: bool = True
    description: str = ""
    item_type: str | None = None


@data
class Flow:
    """One revision of a flow. `root` holds its tasks; `source` is the text it was loaded from, byte for byte."""

    id: str
    namespace: str
    root: Sequence
    source: str = field(repr=False, default="")
    revision: int = 0
    description: str = ""
    labels: Mapping[str, str] = field(factory=dict)
    variables: Mapping[str, object] = field(factory=dict)
    inputs: tuple[Input, ...] = ()
    outputs: tuple[FlowOutput, ...] = ()
    disabled: bool = False

    def steps(self) -> Iterator[Step]:
        """Every task of the flow, parents before children, in the order of the source."""
        stack = list(reversed(children_of(self.root)))
        while stack:
            step = stack.pop()
            yield step
            stack.extend(reversed(children_of(step.node)))


def type_output(declared: FlowOutput, value: object, parse_yaml: ParseYaml) -> Any:
    """The rendered value of a flow output as it was declared; null only where it is not required.

    Raises InvalidInput.
    """
    if value is None:
        if declared.required:
            raise InvalidInput(f"Missing required output:{declared.id}")
        return None
    try:
        return typed(declared.type, value, declared.item_type, parse_yaml)
    except Refused as refused:
        received = shown(value)
        raise InvalidInput(f"Invalid output for `{declared.id}`, {refused}, but received `{received}`") from None
