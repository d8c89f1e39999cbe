"""Functions that look at the template's own surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.expressions.faults import Fault
from core.expressions.library.declare import Entries, Frame, Table
from core.expressions.values import BigWhole, Float32, Instant, is_list

table = Table()


@table.function("render")
def render(frame: Frame, to_render: object, recursive: bool = True) -> Any:
    """A value whose texts are templates, rendered until nothing changes (or once)."""
    return frame.runtime.nested(to_render, frame, recursive)


@table.function("renderOnce")
def render_once(frame: Frame, to_render: object) -> Any:
    return frame.runtime.nested(to_render, frame, False)


@table.function("printContext", "fetchContext")
def print_context(frame: Frame) -> Mapping[str, Any]:
    """All variables in sight."""
    frame.read_all()
    own = frame.scope.visible() if frame.scope else {}
    return {**frame.variables, **own}


@table.function("block")
def block(frame: Frame, name: str) -> str:
    """The text of a block of this template, once more; nothing for a block that is not there."""
    frame.count_rounds(1)
    write = frame.blocks.get(name)
    return str(write(frame)) if write else ""


@table.function("parent")
def parent(frame: Frame) -> str:
    raise Fault("`parent()` has no meaning here: templates don't extend one another")


@table.function("currentEachOutput")
def current_each_output(frame: Frame, outputs: Entries) -> Any:
    """The output of a task for the values of the loops around this one: `outputs[…parents' values…][taskrun.value]`."""
    current: Any = outputs
    for value in _loop_values(frame):
        if not isinstance(current, Mapping) or value not in current:
            raise Fault(f"there is no output for the value `{value}` of the loop", expected="an output of a task in it")
        current = current[value]
    return current


def _loop_values(frame: Frame) -> list[str]:
    """The values of the loops around this task, outermost first."""
    variables = frame.variables
    values: list[str] = []
    parents = variables.get("parents")
    for each in reversed(list(parents)) if parents is not None and is_list(parents) else []:
        run = each["taskrun"] if isinstance(each, Mapping) and "taskrun" in each else {}
        if isinstance(run, Mapping) and run.get("value") is not None:
            values.append(run["value"])
    run = variables.get("taskrun", {})
    if not isinstance(run, Mapping) or run.get("value") is None:
        raise Fault("`currentEachOutput()` works only in a task inside of a loop")
    if frame.reads is not None:
        frame.reads.update({("taskrun", "value"), ("parents",)} if parents is not None else {("taskrun", "value")})
    return [*values, run["value"]]


@table.filter("className")
def class_name(value: object) -> str | None:
    """The reference's name of the kind of value; whole numbers are named by their size."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, (bool, BigWhole)):
        bits = value.bit_length()
        return "java.lang.Integer" if bits < 32 else "java.lang.Long" if bits < 64 else "java.math.BigInteger"
    if isinstance(value, datetime) and value.tzinfo is None:
        return "java.time.LocalDateTime"
    for kind, name in _CLASS_NAMES:
        if isinstance(value, kind):
            return name
    return "java.util.ArrayList" if is_list(value) else "java.lang.Object"


_CLASS_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "java.lang.Boolean"),
    (str, "java.lang.String"),
    (BigWhole, "java.math.BigInteger"),
    (Float32, "java.lang.Float"),
    (float, "java.lang.Double"),
    (Decimal, "java.math.BigDecimal"),
    (Mapping, "java.util.LinkedHashMap"),
    (Instant, "java.time.Instant"),
    (datetime, "java.time.ZonedDateTime"),
    (date, "java.time.LocalDate"),
    (timedelta, "java.time.Duration"),
)
