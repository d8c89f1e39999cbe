"""Flows and what the checker says of them, as the API gives them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from attrs import frozen
from msgspec import Meta

from core.host.views import FlowView
from tailrace_server.schemas.common import Time
from tailrace_server.times import iso

EXAMPLE = """\
id: getting_started
namespace: company.team
inputs: [{id: country, type: STRING, defaults: AT}]
tasks: [{id: hello, type: debug.Return, format: "{{ inputs.country }}"}]
"""
Source = Annotated[str, Meta(description="The flow's YAML.", examples=[EXAMPLE])]


@frozen
class FlowProblem:
    """What is wrong with a flow, or worth knowing."""

    severity: Annotated[
        Literal["error", "warning", "info"], Meta(description="An error keeps the flow from running.")
    ]
    message: str
    path: Annotated[str, Meta(examples=["$.tasks[0].type"])]
    line: Annotated[int, Meta(ge=1)]
    column: Annotated[int, Meta(ge=1)]
    expected: str | None
    hint: str | None


@frozen
class FlowRevision:
    """One revision of a flow."""

    organization_id: str
    namespace: str
    id: str
    revision: Annotated[int, Meta(ge=1)]
    local: Annotated[bool, Meta(description="It came from a file that was run; nobody pushed it.")]
    created_at: Time
    source: Source | None = None
    problems: Annotated[list[FlowProblem] | None, Meta(description="What the checker says; not in lists.")] = None


@frozen
class FlowList:
    """The newest revision of each flow, or all revisions of one."""

    data: list[FlowRevision]


@frozen
class FlowSource:
    """A flow to be stored, or to be checked."""

    source: Source


@frozen
class FlowChecked:
    """What the checker says; valid when nothing of it is an error."""

    valid: bool
    problems: list[FlowProblem]


def flow_object(view: FlowView, organization: str, *, source: bool = False) -> dict[str, Any]:
    """A view as `FlowRevision`."""
    shown: dict[str, Any] = {
        "organization_id": organization, "namespace": view.namespace, "id": view.flow_id, "revision": view.revision,
        "local": view.local, "created_at": iso(view.created_at),
    }  # fmt: skip
    return {**shown, "source": view.source} if source else shown


def problem_object(problem: Any) -> dict[str, Any]:
    """A `core.loading.Problem` as `FlowProblem`."""
    return {
        "severity": problem.severity, "message": problem.message, "path": problem.path, "line": problem.line,
        "column": problem.column, "expected": problem.expected or None, "hint": problem.hint or None,
    }  # fmt: skip
