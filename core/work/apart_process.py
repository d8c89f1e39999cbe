"""The evaluating side of `core.work.apart`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

from core import expressions
from core.errors import Invalid
from core.expressions.native import OPERATIONS
from core.host.seam import LoopOutputs, OutputText, Place
from core.model.codec import decode, encode
from core.work.functions import EngineFunctions, printed, refuse_secret
from core.work.variables import Outputs, asks

Ask = Callable[..., Any]
"""Asks whoever started this process: (question, …) → answer. Raises errors of ours."""


def evaluate(
    ask: Ask, template: str, place: Mapping[str, Any], plain: str, names: Mapping[str, Any], zone: str, moment: str
) -> list[str]:
    """The encoded value of a template, and its text."""
    now: datetime = decode(moment)
    where = Place(**place)
    functions = EngineFunctions(where, _Line(ask), _Files(ask), refuse_secret, lambda noted: None)  # type: ignore[arg-type]
    variables: dict[str, Any] = decode(plain)
    line = _Line(ask)
    shipped = {name: name if task is None else LoopOutputs(task, {}) for name, task in names.items()}
    variables["outputs"] = Outputs(shipped, lambda each: _loaded(each, ask), asks(line, where))  # type: ignore[arg-type]
    renderer = expressions.Renderer(
        functions.table(), zone, clock=lambda: now, entropy=lambda size: decode(ask("entropy", size)), helper=_here
    )
    value = renderer.render_typed(template, variables)
    text = printed(value)
    try:
        return [encode(value), text]
    except Invalid:  # what only has a meaning inside of an expression, such as an entry of a map
        return [encode(text), text]


def _here(operation: str, arguments: tuple[Any, ...]) -> Any:
    """This process can be killed: nothing needs to leave it."""
    return OPERATIONS[operation](*arguments)


def _loaded(shipped: str | OutputText, ask: Ask) -> Any:
    """An output: by its task's name, or (of a loop) its text."""
    return decode(shipped.text if isinstance(shipped, OutputText) else ask("output", shipped))


class _Line:
    """Questions to the engine, by way of the process that started this one."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def ask(self, place: Place, what: str, arguments: Mapping[str, Any]) -> Any:
        answer = decode(self._ask("engine", what, dict(arguments)))
        if what == "loop_outputs":
            text, values = answer
            return (None if text is None else OutputText(text)), values
        return answer


class _Size(NamedTuple):
    size: int


class _Files:
    """Internal storage, by way of the process that started this one."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def stat(self, uri: str) -> _Size:
        return _Size(self._ask("size", uri))

    def open(self, uri: str) -> BytesIO:
        return BytesIO(decode(self._ask("file", uri)))
