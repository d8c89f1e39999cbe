"""How a flow is stored, by a request of the API or of a page: checked, kept as a revision, and told to the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.host.services import Services
from core.host.views import FlowView
from core.sdk import Invalid
from tailrace_server.access import Caller
from tailrace_server.errors import Refused

Place = tuple[str, str]
"""The namespace and the id of a flow."""


def store_flow(
    services: Services, caller: Caller, source: str, place: Place | None = None
) -> tuple[FlowView, Sequence[Any]]:
    """Store a revision: it, and what the checker says of it. place: whose revision it has to be.

    Raises Refused with all errors that the checker finds, Invalid for the source of another flow.
    """
    flow, problems = services.flows.check(source)
    if flow is None:
        details = [
            (f"line {one.line}, column {one.column}: {one.path}", one.message)
            for one in problems if one.severity == "error"
        ]  # fmt: skip
        raise Refused(422, "the flow has errors", details=details)
    if place is not None and (flow.namespace, flow.id) != place:
        raise Invalid(f"the source is that of {flow.namespace}.{flow.id}", expected=".".join(place))
    view = services.flows.push(source)
    subject = f"{view.namespace}.{view.flow_id}"
    services.changes.note(caller.actor, "flow.put", subject, None, {"revision": view.revision})
    return view, problems
