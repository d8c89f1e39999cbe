"""`/executions/{id}/graph`: the flow as a picture."""

from __future__ import annotations

from core.host.services import Services
from core.sdk import Step, TailraceError
from tailrace_server.drawing.graph import graph_svg
from tailrace_server.pages.execution import head
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import href


@page("/executions/{id:str}/graph")
def graph(id: str, services: Services) -> Shown:
    """The tasks of the revision that ran, in the states they are in."""
    top = head(services, id)
    try:
        flow = services.flows.parsed(top.view.namespace, top.view.flow_id, top.view.flow_revision)
    except TailraceError as error:  # a plugin that it needs is gone
        return Shown("execution_graph.html", {"head": top, "here": "Graph", "svg": "", "problem": error.what})
    outlines = services.executions.outline(top.id)
    ran = {outline.task_name for outline in outlines}

    def link(step: Step) -> str | None:
        return href(f"{top.url}/gantt", task_name=step.id) if step.id in ran else None

    svg = graph_svg(flow, outlines, link)
    return Shown("execution_graph.html", {"head": top, "here": "Graph", "svg": svg, "problem": ""})


PAGES = (graph,)
