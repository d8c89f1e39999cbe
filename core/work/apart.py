"""Evaluations for people: in a process of their own that can be killed, unless nothing in them can take long.

The process knows the template and the variables; all else (files, keys and values, bodies of outputs, chance) it asks
of the one that started it. Secrets are refused there, so that none ever crosses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from core import expressions
from core.errors import ExpressionError, Forbidden
from core.expressions.faults import Fault
from core.host.seam import LoopOutputs, OutputReference, OutputText, Place
from core.model.codec import decode, encode
from core.sdk.storage import StorageBackend, storage_path
from core.work.evaluate import Evaluation
from core.work.files import AttemptFiles
from core.work.functions import printed
from core.work.helper import Helper
from core.work.line import Line
from core.work.tools import Tools
from core.work.variables import ByValue, Outputs, check_readable, in_sight, output_loader

_MOST_ENTROPY = 65_536


class Evaluated(NamedTuple):
    """value: with its type. text: as it is printed."""

    value: Any
    text: str


def evaluate_for_people(
    template: str, place: Place, variables: Mapping[str, Any], tools: Tools, line: Line, helper: Helper,
    *, printing: bool = True,
) -> Evaluated:  # fmt: skip
    """A template's value, within the limits of a helper. printing: False leaves out the text where it would have to be
    made here. Raises ExpressionError, TooLarge, Forbidden, NotFound."""
    if expressions.is_quick(template):
        value = Evaluation(place, variables, tools, line, None).render(template, typed=True)
        if not printing:
            return Evaluated(value, "")
        if not isinstance(value, (Outputs, ByValue)):  # the outputs of a loop may take any time to be read
            return Evaluated(value, printed(value))
    load = output_loader(tools.storage, place.organization_id, None)
    variables = in_sight(tools.constants, variables, load)
    world = _World(place, variables, tools, line)
    outputs = variables.get("outputs", {})
    plain = encode({name: value for name, value in variables.items() if name != "outputs"})
    about = [vars(place), plain, _names(outputs), tools.zone, encode(tools.clock())]
    try:
        encoded, text = helper.call("evaluate", [template, *about], world.answer)
    except Fault as fault:
        raise ExpressionError(fault.what, expected=fault.expected, hint=fault.hint) from None
    return Evaluated(decode(encoded), text)


def _names(outputs: Mapping[str, Any]) -> dict[str, str | None]:
    """The tasks that have outputs; of those below loops the name by which they are asked for."""
    return {name: output.task_name if isinstance(output, LoopOutputs) else None for name, output in outputs.items()}


class _World:
    """What the evaluating process may know, told by the one that started it."""

    def __init__(self, place: Place, variables: Mapping[str, Any], tools: Tools, line: Line) -> None:
        self._place = place
        self._outputs = variables.get("outputs", {})
        self._storage: StorageBackend = tools.storage
        self._entropy = tools.entropy
        self._line = line
        self._files = AttemptFiles(
            tools.storage, place, lambda uri: bool(line.ask(place, "file_allowed", {"uri": uri}))
        )

    def answer(self, question: str, arguments: list[Any]) -> Any:
        """The answer to one question, as JSON. Raises errors of ours."""
        if question == "engine":
            return encode(self._engine(*arguments))
        if question == "output":
            return self._text(self._outputs[arguments[0]], arguments[0])
        if question == "size":
            return self._files.stat(arguments[0]).size
        if question == "file":
            return encode(self._file(arguments[0]))
        if question == "entropy":
            return encode(self._entropy(min(int(arguments[0]), _MOST_ENTROPY)))
        raise Forbidden(f"an expression can't ask for `{question}`")

    def _engine(self, what: str, details: Mapping[str, Any]) -> Any:
        answer = self._line.ask(self._place, what, details)
        if what != "loop_outputs":
            return answer
        output, values = answer
        return [None if output is None else self._text(output, details["task"]), values]

    def _text(self, output: Any, task: str) -> str:
        """The recorded text of one output."""
        if isinstance(output, OutputText):
            return output.text
        if not isinstance(output, OutputReference):
            return encode(output)
        check_readable(output.size, f"the output of `{task}`")
        with self._storage.open(self._place.organization_id, storage_path(output.uri)) as body:
            return body.read().decode("utf-8", "surrogatepass")

    def _file(self, uri: str) -> bytes:
        check_readable(self._files.stat(uri).size, f"the file `{uri}`")
        with self._files.open(uri) as source:
            return source.read()
