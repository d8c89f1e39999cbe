"""`/flows`: the stored ones, and one of them with its source, its picture and its revisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from litestar import Request
from markupsafe import Markup

from core.host.services import Services
from core.host.views import FlowView
from tailrace_server.asked import Asked, Parameter
from tailrace_server.drawing.graph import Link, graph_svg
from tailrace_server.drawing.highlight import source_html
from tailrace_server.drawing.sparkline import SLOTS, sparkline
from tailrace_server.pages.lists import address, pairs_of
from tailrace_server.pages.paged import Shown, page

ROWS = 100
REVISIONS = 50
"""Of a flow's revisions that its page lists; the comparison of revisions knows all."""
FIND = Parameter("find", "Part of a flow's name or namespace, in any case of letters.")
NAMESPACE = Parameter("namespace", "Of this namespace; `company.*` means that one and all below it.")
FROM = Parameter("from", "How many flows lie before the page.", "whole", default=0)
REVISION = Parameter("revision", "The one to be shown; the newest one unless given.", "whole", least=1)


@frozen
class Listed:
    """A flow of the list. picture: how long its newest executions took."""

    view: FlowView
    picture: Markup


@page("/flows", asks=(FIND, NAMESPACE, FROM))
def flows(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Shown:
    """The newest revision of each, by namespace and id."""
    known = services.flows.list()
    fitting = [view for view in known if _fits(view, (asked["find"] or "").lower(), asked["namespace"] or "")]
    first = min(asked["from"], len(fitting))
    shown = fitting[first : first + ROWS]
    past = services.executions.past_runs([(view.namespace, view.flow_id) for view in shown], SLOTS)
    rows = [Listed(view, sparkline(past.get((view.namespace, view.flow_id), ()))) for view in shown]
    others = [pair for pair in pairs_of(request) if pair[0] != "from"]
    return Shown("flows.html", {
        "rows": rows, "count": len(fitting), "known": len(known), "first": first,
        "find": asked["find"] or "", "namespace": asked["namespace"] or "",
        "namespaces": sorted({view.namespace for view in known})[:500],
        "newer": address(request, [*others, ("from", str(max(0, first - ROWS)))]) if first else None,
        "older": address(request, [*others, ("from", str(first + ROWS))]) if first + ROWS < len(fitting) else None,
    })  # fmt: skip


@page("/flows/{namespace:str}/{flow_id:str}", asks=(REVISION,))
def flow(namespace: str, flow_id: str, services: Services, asked: Asked) -> Shown:
    """One of them: the newest revision, or another one."""
    revisions = services.flows.revisions(namespace, flow_id)
    view = services.flows.get(namespace, flow_id, asked["revision"])
    parsed, problems = services.flows.check(view.source)
    past = services.executions.past_runs([(namespace, flow_id)], SLOTS).get((namespace, flow_id), ())
    lines = to_lines(services.flows.lines(namespace, flow_id, view.revision)) if parsed else None
    marks = {one.line: one.message for one in reversed(problems) if one.severity != "info"}
    return Shown("flow.html", {
        "view": view, "flow": parsed, "problems": problems, "newest": revisions[0], "count": len(revisions),
        "revisions": revisions[:REVISIONS], "source": source_html(view.source, marks),
        "graph": graph_svg(parsed, link=lines) if parsed else "", "past": past, "picture": sparkline(past),
    })  # fmt: skip


def to_lines(lines: Mapping[str, int]) -> Link:
    """A task of a picture leads to where it begins in the source beside it."""
    return lambda step: f"#L{lines[step.id]}" if step.id in lines else None


def _fits(view: FlowView, find: str, namespace: str) -> bool:
    if namespace.endswith(".*"):
        if not f"{view.namespace}.".startswith(namespace[:-1]):
            return False
    elif namespace and view.namespace != namespace:
        return False
    return find in f"{view.namespace}.{view.flow_id}".lower()


PAGES = (flows, flow)
