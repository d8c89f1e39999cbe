"""`/executions/{id}/source`: the revision that ran, with what failed at its lines."""

from __future__ import annotations

from collections.abc import Mapping

from core.host.services import Services
from core.host.views import OutputFilter
from tailrace_server.drawing.highlight import source_html
from tailrace_server.pages.execution import Head, head
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import plural

MOST = 200
"""Failed task executions whose errors are told at their lines."""
SAID = 300
"""Characters of an error's first line beside a line."""


@page("/executions/{id:str}/source")
def source(id: str, services: Services) -> Shown:
    """Its text; errors lead here by `#L12`."""
    top = head(services, id)
    view = top.view
    stored = services.flows.get(view.namespace, view.flow_id, view.flow_revision)
    lines = services.flows.lines(view.namespace, view.flow_id, view.flow_revision)
    marks = said_at_lines(services, top, lines)
    newest = services.flows.get(view.namespace, view.flow_id).revision
    return Shown("execution_source.html", {
        "head": top, "here": "Source", "stored": stored, "source": source_html(stored.source, marks),
        "marks": sorted(marks.items()), "newest": newest,
    })  # fmt: skip


def said_at_lines(services: Services, top: Head, lines: Mapping[str, int]) -> dict[int, str]:
    """What failed, by the lines of the tasks."""
    failed = OutputFilter(flow_execution_id=(top.id,), state=("FAILED", "KILLED"), limit=MOST)
    told: dict[int, list[str]] = {}
    for one in services.outputs.list(failed).data:
        if one.error and one.task_name in lines:
            told.setdefault(lines[one.task_name], []).append(one.error)
    return {line: _told(errors) for line, errors in told.items()}


def _told(errors: list[str]) -> str:
    line, *others = errors[0].strip().splitlines() or [""]
    first = f"{line[:SAID]}…" if others or len(line) > SAID else line
    return first if len(errors) == 1 else f"{first} (and {plural(len(errors) - 1, 'more', 'more')})"


PAGES = (source,)
