"""Expressions, and what they gave."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from attrs import frozen
from msgspec import Meta

from tailrace_server.schemas.common import Id

Type = Literal[
    "boolean", "whole number", "number", "text", "date and time", "date", "time", "duration", "map", "list", "null",
    "value",
]  # fmt: skip


@frozen
class ExpressionGiven:
    """An expression, and whose recorded context it sees: that of an execution, of one of its tasks, or of one task
    execution. One of `flow_execution_id` and `task_execution_id` is given.
    """

    expression: Annotated[
        str, Meta(description="Without braces it is taken as `{{ … }}`.", examples=["outputs.api.code == 200"],
                  max_length=100_000)
    ]  # fmt: skip
    flow_execution_id: Id | None = None
    task_execution_id: Id | None = None
    task_name: Annotated[str | None, Meta(description="What this task saw; else what the execution sees.")] = None
    value: Annotated[str | None, Meta(description="Of the loop around the task; of all loops, joined by `/`.")] = None


@frozen
class Evaluated:
    """What an expression gave: as it is printed, as a value, and the value's type in the language's words."""

    text: str
    value: Any
    type: Type
