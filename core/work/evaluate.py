"""Evaluations: templates that the planner, or a person, wants rendered in a place of the world."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from io import BytesIO
from typing import Any

from core.errors import TailraceError
from core.expressions.values import json_scalar
from core.host.seam import EvaluationJob, EvaluationResult, FileLine, Place, Read
from core.model.codec import encode, json_writer
from core.sdk.storage import StoredFile
from core.work.files import AttemptFiles
from core.work.functions import EngineFunctions, refuse_secret
from core.work.line import Line
from core.work.secrets import Redactor
from core.work.tools import Tools
from core.work.variables import Inputs, Outputs, asks, in_sight, output_loader, reads_of, with_outputs

ROWS_FILE = "outputs.jsonl"
_json = json_writer(ensure_ascii=False, default=lambda value: json.loads(json_scalar(value, UTC)))


class Evaluation:
    """Renders templates in one place. secret: gives secrets' values, or refuses; None leaves them marked."""

    def __init__(
        self, place: Place, variables: Mapping[str, Any], tools: Tools, line: Line, secret: Callable[..., str] | None
    ) -> None:
        self._reads: set[tuple[Any, ...]] = set()
        self._noted: set[str] = set()
        files = AttemptFiles(tools.storage, place, lambda uri: bool(line.ask(place, "file_allowed", {"uri": uri})))
        functions = EngineFunctions(place, line, files, secret or refuse_secret, self._noted.add).table()
        load = output_loader(tools.storage, place.organization_id, secret)
        outputs = Outputs(variables.get("outputs", {}), load, asks(line, place))
        self._variables: dict[str, Any] = {**in_sight(tools.constants, variables, load), "outputs": outputs}
        for name in ("inputs", "vars"):
            if secret and name in variables:
                self._variables[name] = Inputs(variables[name], secret)
        if secret and "outputs" in variables.get("execution", ()):
            self._variables["execution"] = with_outputs(variables["execution"], secret)
        items = variables.get("taskrun", {}).get("items")
        if isinstance(items, FileLine):
            line_read = tools.file_lines.read(tools.storage, place.organization_id, items)
            self._variables["taskrun"] = {**variables["taskrun"], "items": line_read}
        self._renderer = tools.renderer(functions)
        self._files = files

    def render(self, template: object, typed: bool) -> Any:
        """The template's value. typed: maps and lists are walked and each text keeps its value's type."""
        if isinstance(template, str):
            rendered = self._renderer.render_typed if typed else self._renderer.render
            return rendered(template, self._variables, self._reads)
        if isinstance(template, Mapping):
            return {key: self.render(item, typed) for key, item in template.items()}
        if isinstance(template, (list, tuple)):
            return [self.render(item, typed) for item in template]
        return template

    def store(self, rows: Sequence[Any]) -> StoredFile:
        """Write rows to a file of the execution, a line of JSON each."""
        lines = BytesIO("".join(f"{_json(row)}\n" for row in rows).encode())
        return self._files.put(lines, ROWS_FILE)

    @property
    def variables(self) -> Mapping[str, Any]:
        """What its templates see, by name."""
        return self._variables

    def reads(self) -> tuple[Read, ...]:
        """What was read so far."""
        return reads_of(self._reads, self._noted)


def evaluate(job: EvaluationJob, tools: Tools, line: Line) -> EvaluationResult:
    """Answer the planner. Never raises: what went wrong is the result's error."""
    redactor = Redactor(tools.secrets)
    try:
        evaluation = Evaluation(job.place, job.variables, tools, line, redactor.get)
        if job.rows is not None:
            stored = evaluation.store(job.rows)
            return EvaluationResult(
                job.ticket, encode(stored.uri), files=((stored.uri, stored.size, stored.sha256),)
            )  # fmt: skip
        value = evaluation.render(job.template, job.typed)
        return EvaluationResult(job.ticket, encode(redactor.mark(value)), reads=evaluation.reads())
    except TailraceError as error:
        return EvaluationResult(job.ticket, error=redactor.hide(str(error)))
    except Exception as error:  # noqa: BLE001 # a function's own mistake: the planner waits for an answer all the same
        reason = f"the expression can't be evaluated: {type(error).__name__}: {error}"
        return EvaluationResult(job.ticket, error=redactor.hide(reason))
