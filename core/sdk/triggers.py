"""What starts a flow by itself, and what has to hold before it does: declared, checked, not yet run.

A trigger or a condition is a class of properties like a task type. What its properties can't say of each other by
their types it says in `faults`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, dataclass_transform

from core.errors import Invalid
from core.model.data import data
from core.model.state import State
from core.sdk.context import Level
from core.sdk.properties import PluginType, prop

KnownState = Literal[State, "SUBMITTED", "BREAKPOINT", "RESUBMITTED"]
"""A state that a flow may ask for: also those of the reference that no execution of ours is ever in."""


@data
class Fault:
    """Something that is wrong with properties whose types are right. path: to the property, names in YAML."""

    path: tuple[str | int, ...]
    message: str
    expected: str = ""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class Condition(PluginType):
    """Base of what must hold before a trigger starts its flow."""

    plugin_kind = "condition"

    def faults(self) -> Iterator[Fault]:
        """What is wrong; a property that still is an expression is a text here, whatever its type."""
        return iter(())

    def expression(self) -> str:
        """The condition as an expression without braces, about an execution of its flow that has ended.

        Raises Invalid where there is none: it asks for something that no expression knows.
        """
        raise Invalid(
            f"`{self.type}` can't be asked of an execution that has ended",
            hint="use `afterExecution`, with a `runIf` on its tasks",
        )


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class Trigger(PluginType):
    """Base of what starts a flow by itself; its `id` is read beside its properties, as that of a task."""

    plugin_kind = "trigger"

    description: str = prop("For people.", default="", render=False)
    disabled: bool = prop("It starts nothing.", default=False, render=False)
    conditions: list[Condition] = prop("All of them must hold.", factory=list)
    when: str | None = prop(
        "It starts nothing when this renders to nothing, `0` or `false`; the 2.x word for `conditions`.", default=None
    )
    labels: Any = prop("Labels of the executions it starts: a map, or a list of `key` and `value`.", default=None)
    stop_after: list[KnownState] = prop(
        "Disabled when one of its executions ends in one of these states.", factory=list, render=False
    )
    fail_on_trigger_error: bool = prop("A failed evaluation becomes a failed execution.", default=False)
    allow_concurrent: bool = prop("May start while its previous execution runs.", default=False)
    log_level: Level = prop(
        "Lines below this level are not kept.", default="TRACE", aliases=("minLogLevel",), render=False
    )
    log_to_file: bool = prop("Its log goes to a file.", default=False, render=False)

    def faults(self) -> Iterator[Fault]:
        """What is wrong with this trigger and its conditions; expressions are texts here, whatever their type."""
        if isinstance(self.conditions, list):
            yield from faults_of(self.conditions, ("conditions",))


def faults_of(conditions: list[Condition], path: tuple[str | int, ...]) -> Iterator[Fault]:
    """The faults of conditions in a list, seen from what holds the list. An expression is no condition yet."""
    for at, condition in enumerate(conditions):
        if isinstance(condition, Condition):
            for fault in condition.faults():
                yield Fault((*path, at, *fault.path), fault.message, fault.expected)
