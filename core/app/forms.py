"""What a form asks of whoever starts a flow, or lets one of its tasks go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.app.creation import Creation, declared_inputs
from core.errors import NotFound
from core.host.overviews import FormField
from core.host.plain import plain
from core.model.codec import SecretText
from core.model.flow import Flow
from core.model.input_values import typed
from core.model.inputs import AskedInput, Input

HIDDEN = "••••"
BOUNDS = (("min", "min"), ("after", "min"), ("max", "max"), ("before", "max"))
"""Options of the types, as attributes of a form."""


def form_of(
    creation: Creation, flow: Flow, given: Mapping[str, Any] | None, task: str | None = None
) -> tuple[FormField, ...]:
    """As `core.host.services.Executions.form`. Raises NotFound."""
    declared = flow.inputs if task is None else _of_task(flow, task)
    begun = {one.id: one.prefill for one in declared if one.prefill is not None}
    asked = creation.asked(flow, declared, begun if given is None else given)
    return tuple(_field(one, new=given is None) for one in asked)


def _of_task(flow: Flow, task: str) -> Sequence[Input]:
    step = next((step for step in flow.steps() if step.id == task), None)
    if step is None:
        raise NotFound(f"there is no task `{task}` in the flow {flow.namespace}.{flow.id}")
    return declared_inputs(step)


def _field(asked: AskedInput, *, new: bool) -> FormField:
    one = asked.declared
    prefilled = one.prefill is not None
    default = one.prefill if prefilled else asked.default
    secret = one.type == "SECRET" or isinstance(default, SecretText)
    return FormField(
        id=one.id,
        type=one.type,
        label=one.display_name or one.id,
        description=one.description,
        default=HIDDEN if secret and default is not None else plain(default),
        choices=_choices(one),
        free=bool(one.options.get("allowCustomValue")),
        needed=one.required and asked.default is None,
        shown=asked.shown,
        depends_on=one.depends_on,
        problem="" if new and asked.missing else asked.problem,
        rules=_rules(one.options),
        prefilled=prefilled,
        missing=asked.missing,
        secret=secret,
    )


def _choices(one: Input) -> tuple[str, ...]:
    """The texts that are given when one is chosen."""
    choices = one.options.get("values") or one.options.get("options")
    return tuple(typed("STRING", choice, None, None) for choice in choices) if isinstance(choices, list) else ()


def _rules(options: Mapping[str, Any]) -> dict[str, str]:
    rules = {attribute: str(plain(options[name])) for name, attribute in BOUNDS if options.get(name) is not None}
    if options.get("validator"):
        rules["pattern"] = str(options["validator"])
    if options.get("allowedFileExtensions"):
        rules["accept"] = ",".join(options["allowedFileExtensions"])
    if options.get("itemType"):
        rules["item_type"] = str(options["itemType"])
    return {**rules, "radio": "true"} if options.get("isRadio") else rules
