"""Functions that look at the template's own surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.expressions.faults import Fault
from core.expressions.library.declare import Entries, Frame, Table
from core.expressions.values import is_list

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
    """The text of a block of this template, once more."""
    write = frame.blocks.get(name)
    if write is None:
        raise Fault(f"there is no block `{name}`", expected=", ".join(frame.blocks) or "a `{% block %}` in this template")
    return str(write(frame))


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
    parents = variables["parents"] if "parents" in variables else None
    for each in reversed(parents) if is_list(parents) else []:
        run = each["taskrun"] if isinstance(each, Mapping) and "taskrun" in each else {}
        if isinstance(run, Mapping) and run.get("value") is not None:
            values.append(run["value"])
    run = variables["taskrun"] if "taskrun" in variables else {}
    if not isinstance(run, Mapping) or run.get("value") is None:
        raise Fault("`currentEachOutput()` works only in a task inside of a loop")
    if frame.reads is not None:
        frame.reads.update({("taskrun", "value"), ("parents",)} if parents is not None else {("taskrun", "value")})
    return [*values, run["value"]]
