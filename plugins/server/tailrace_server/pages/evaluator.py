"""`/executions/{id}/evaluator`: expressions in the recorded context of an execution, by the evaluator of the engine."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from litestar import Response

from core.host.services import Services
from core.sdk import TailraceError
from tailrace_server.answers import json_answer
from tailrace_server.asked import Asked, Parameter
from tailrace_server.pages.execution import head
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import href
from tailrace_server.showing.links import VALUE_ASKS
from tailrace_server.showing.values import ShownValue, shown_value

LONGEST = 8000
"""Characters of an expression in an address."""
PLACE = (
    Parameter("as_task", "As this task would see it; the execution without."),
    Parameter("as_value", "The value of the loop around that task; of all loops, joined by `/`."),
)
ASKS = (Parameter("expression", "With or without its braces."), *PLACE, *VALUE_ASKS)
HALF = (
    Parameter("text", "What was typed.", default=""),
    Parameter("cursor", "Where the cursor is in it, in characters.", "whole", most=10**6, default=0),
    *PLACE,
)


@frozen
class Question:
    """What the form of the evaluator holds. task, value: whose context the expression sees."""

    expression: str = ""
    task: str = ""
    value: str = ""


@frozen
class Answer:
    """What an expression gave: shown, or why it gave nothing."""

    shown: ShownValue | None = None
    problem: TailraceError | None = None


@page("/executions/{id:str}/evaluator", asks=ASKS, slow=True)
def evaluator(services: Services, asked: Asked, id: str) -> Shown:
    """The form by itself, with what its expression gives."""
    top = head(services, id)
    question = Question(asked["expression"] or "", asked["as_task"] or "", asked["as_value"] or "")
    facts = {
        "head": top, "here": "Outputs", "question": question, "tasks": tasks_of(services, top.id),
        "answer": _answer(services, top.id, question, asked) if question.expression.strip() else None,
    }  # fmt: skip
    return Shown("evaluator.html", facts)


@page("/executions/{id:str}/completions", asks=HALF, slow=True)
def completions(services: Services, asked: Asked, id: str) -> Response[Any]:
    """Names that fit at the cursor, for a script."""
    found = services.evaluator.complete(
        head(services, id).id, asked["text"], asked["cursor"], task_name=asked["as_task"], value=asked["as_value"]
    )
    names = [
        {"name": one.name, "detail": one.detail, "start": found.start if one.start is None else one.start}
        for one in found.names
    ]
    return json_answer({"names": names})


def tasks_of(services: Services, execution_id: str) -> tuple[str, ...]:
    """The tasks that ran."""
    return tuple(one.task_name for one in services.executions.outline(execution_id))


def _answer(services: Services, execution_id: str, question: Question, asked: Asked) -> Answer:
    address = href(
        f"/executions/{execution_id}/evaluator",
        expression=question.expression, as_task=question.task, as_value=question.value,
    )  # fmt: skip
    try:
        found = services.evaluator.evaluate(
            execution_id, question.expression, task_name=question.task or None, value=question.value or None
        )
        return Answer(shown_value(services, found.value, address=address, query=asked))
    except TailraceError as error:
        return Answer(problem=error)


PAGES = (evaluator, completions)
