"""A flow as it was loaded: what a revision is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.errors import InvalidInput
from core.model.codec import SecretText
from core.model.data import data, field, quick
from core.model.input_values import NO_ENCRYPTION, ParseYaml, Refused, shown, typed
from core.model.inputs import Input
from core.model.nodes import Children, Concurrency, Retry, Sequence, Step, children_of


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
class Sla:
    """A promise about executions. max_duration in microseconds, or assertion: an expression; one of them.

    behavior: what becomes of an execution that breaks it, FAIL, CANCEL or NONE; it gets the labels in any case.
    """

    id: str
    behavior: str
    max_duration: int | None = None
    assertion: str | None = None
    labels: Mapping[str, str] = field(factory=dict)


@data
class Check:
    """What has to be true of the inputs before an execution is created.

    behavior when it is not: BLOCK_EXECUTION (none is created), FAIL_EXECUTION (one is created that has failed) or
    CREATE_EXECUTION (it only says so); of several the first of these wins. style: ERROR, SUCCESS, WARNING or INFO.
    """

    condition: str
    message: str
    style: str = "INFO"
    behavior: str = "BLOCK_EXECUTION"


@data
class TaskCache:
    """How long a task's outputs are used again instead of running it: ttl in microseconds, None for ever."""

    ttl: int | None = None


@data
class FlowTrigger:
    """What starts the flow by itself: checked, and kept as written. properties: all but `id` and `type`."""

    id: str
    type: str
    properties: Mapping[str, object] = field(factory=dict)
    disabled: bool = False


@quick
class Flow:
    """One revision of a flow. `root` holds its tasks; `source` is the text it was loaded from, byte for byte.

    after_execution: tasks that run when the execution has ended; errors and finally are in the policy of `root`.
    task_caches and logs_to_file: by the ids of tasks that have `taskCache` or `logToFile`.
    dialect: which of the reference's languages it can be of, `1.x`, `2.x` or `both`.
    """

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
    after_execution: Children = ()
    retry: Retry | None = None
    concurrency: Concurrency | None = None
    sla: tuple[Sla, ...] = ()
    checks: tuple[Check, ...] = ()
    triggers: tuple[FlowTrigger, ...] = ()
    task_caches: Mapping[str, TaskCache] = field(factory=dict)
    logs_to_file: frozenset[str] = frozenset()
    dialect: str = "both"

    def steps(self) -> Iterator[Step]:
        """Every task of the flow, parents before children, in the order of the source, those after its end last."""
        stack = [*reversed(self.after_execution), *reversed(children_of(self.root))]
        while stack:
            step = stack.pop()
            yield step
            stack.extend(reversed(children_of(step.node)))

    def said_of_triggers(self) -> str:
        """A line for whoever runs the flow by hand, "" when nothing is meant to start it by itself."""
        names = ", ".join(trigger.id for trigger in self.triggers if not trigger.disabled)
        return f"its triggers ({names}) are not active: a flow starts when somebody runs it" if names else ""


def type_output(
    declared: FlowOutput, value: object, parse_yaml: ParseYaml, encrypt: Callable[[str], object] | None = None
) -> Any:
    """The rendered value of a flow output as it was declared; null only where it is not required.

    encrypt: what is kept of the text of a SECRET; None where no key is configured. Raises InvalidInput.
    """
    if value is None:
        if declared.required:
            raise InvalidInput(f"Missing required output:{declared.id}")
        return None
    if isinstance(value, SecretText) and declared.type == "SECRET":
        return value
    if encrypt is None and declared.type == "SECRET":
        raise InvalidInput(f"Invalid output for `{declared.id}`, {NO_ENCRYPTION}")
    try:
        found = typed(declared.type, value, declared.item_type, parse_yaml)
        return found if encrypt is None or declared.type != "SECRET" else encrypt(found)
    except Refused as refused:
        received = shown(value)
        raise InvalidInput(f"Invalid output for `{declared.id}`, {refused}, but received `{received}`") from None
