"""Shapes of task outputs."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from attrs import field, frozen
from msgspec import Meta

from tailrace_server.schemas.common import Count, HasMore, Id, Next, State, Status, Time

_SIGN = r"!-9;-~\u00c0-\u024f\u0400-\u052f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
TagKey = Annotated[
    str,
    Meta(description="Letters, digits and signs, blanks only inside; no `:`.", max_length=128,
         pattern=f"^[{_SIGN}](?:[ {_SIGN}]*[{_SIGN}])?$", examples=["draft"]),
]  # fmt: skip
TagValue = Annotated[str, Meta(max_length=1024)]
Tags = Annotated[
    dict[TagKey, TagValue],
    Meta(description="For finding and grouping. A key has no `:`.", max_length=64, examples=[{"quality": "checked"}]),
]  # fmt: skip
Summary = Annotated[
    dict[str, Any],
    Meta(description="What is worth knowing at a glance; its scalars can be filtered by.",
         examples=[{"status_code": 200, "response_time_ms": 450}]),
]  # fmt: skip
Output = Annotated[
    Any,
    Meta(description="What the task gave, as JSON; null when it gave nothing. One that is too large to stand here is a "
                     "reference: `{size, sha256, media_type, href}`, to be read at `href`. Times and durations are ISO "
                     "8601 text, decimals text, bytes base64 text, a secret is `••••`.",
         examples=[{"code": 200, "body": "[…]"},
                   {"size": 921600, "sha256": "9f86d0…", "media_type": "application/json",
                    "href": "/api/v1/task-outputs/01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11/output"}]),
]  # fmt: skip
TaskName = Annotated[str, Meta(description="The task's id in the flow.", examples=["extract"])]
Value = Annotated[str | None, Meta(description="What the innermost loop around the task stood at.", examples=["eu"])]


@frozen
class TaskOutput:
    """What one task execution gave. Its id is the task execution's own: `/task-executions/{id}` tells how it came."""

    id: Id
    flow_execution_id: Annotated[Id, Meta(description="The flow execution it belongs to.")]
    task_name: TaskName
    value: Value
    organization_id: Annotated[str, Meta(description="Whose it is.", examples=["default"])]
    namespace: Annotated[str, Meta(examples=["company.team"])]
    flow_id: Annotated[str, Meta(examples=["products"])]
    flow_revision: int
    status: Annotated[Status, Meta(description="Made of `state`, and of whether it was deleted or is stale: what it "
                                               "read was corrected since.")]  # fmt: skip
    state: State
    summary: Summary
    output: Output
    output_size: Annotated[int | None, Meta(description="Bytes of the recorded output, null without one.")]
    tags: Tags
    error: Annotated[str | None, Meta(description="Why it failed.")]
    modified_by: Annotated[str, Meta(description="Who changed it last: `system` for the engine, else the id of an API "
                                                 "key, or `local`.", examples=["system"])]  # fmt: skip
    version: Annotated[int, Meta(description="Counts its changes; the first part of its ETag.", examples=[1])]
    created_at: Time
    updated_at: Time


@frozen
class TaskOutputRow(TaskOutput):
    """A task output in a list: all of it, or the fields that `fields` names."""


@frozen
class TaskOutputPage:
    """Task outputs, newest first."""

    data: list[TaskOutputRow]
    has_more: HasMore
    next: Next
    count: Count | msgspec.UnsetType = msgspec.UNSET


@frozen
class CorrectedTaskOutput(TaskOutput):
    """A task output after a correction."""

    made_stale: Annotated[list[Id], Meta(description="What read it, straight or through others, and is stale now.")]


@frozen
class TaskOutputCorrection:
    """What is to change; what is left out stays."""

    RULES: ClassVar = {"anyOf": [{"required": [name]} for name in ("output", "summary", "tags")]}

    output: Annotated[Any, Meta(description="The right output.", examples=[{"code": 200}])] = msgspec.UNSET
    summary: Summary | msgspec.UnsetType = msgspec.UNSET
    tags: Tags | msgspec.UnsetType = msgspec.UNSET
    reason: Annotated[str, Meta(description="For the audit.", max_length=1024)] = ""


@frozen
class NewTaskOutput:
    """An output of a worker outside of the engine, for a flow execution that is there."""

    RULES: ClassVar = {
        "if": {"properties": {"error": {"minLength": 1}}, "required": ["error"]},
        "then": {"properties": {"status": {"const": "failed"}}, "required": ["status"]},
    }

    flow_execution_id: Id
    task_name: Annotated[
        str,
        Meta(description="A name that no task of the flow has.", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,255}$",
             examples=["review"]),
    ]  # fmt: skip
    status: Annotated[Literal["completed", "failed"], Meta(description="How it went.")] = "completed"
    value: Annotated[
        Annotated[str, Meta(max_length=1024)] | None, Meta(description="What a loop around it stood at.")
    ] = None
    output: Annotated[Any, Meta(description="What it gave.", examples=[{"verdict": "fine"}])] = None
    summary: Summary = field(factory=dict)
    tags: Tags = field(factory=dict)
    error: Annotated[str, Meta(description="Why it failed; only with the status `failed`.", max_length=65536)] = ""


@frozen
class TagChange:
    """Tags of several task outputs: all of it happens, or nothing."""

    RULES: ClassVar = {
        "anyOf": [
            {"properties": {"add": {"minProperties": 1}}, "required": ["add"]},
            {"properties": {"remove": {"minItems": 1}}, "required": ["remove"]},
        ]
    }

    ids: Annotated[list[Id], Meta(min_length=1, max_length=100)]
    add: Tags = field(factory=dict)
    remove: Annotated[list[TagKey], Meta(description="Keys.", max_length=100)] = field(factory=list)
