"""`/executions/{id}/logs`: by level and task, with a text in them, as they come, as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from litestar import Response
from litestar.response import Stream
from markupsafe import Markup, escape

from core.host.services import Services
from core.host.views import LogFilter
from core.sdk import LEVELS
from tailrace_server.asked import Asked, Parameter
from tailrace_server.pages.execution import Head, head
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import href, iso

LINES = 500
"""On a page."""
LONGEST = 4_000
"""Characters of a line on a page; the file has the rest."""
CHUNK = 5_000
"""Lines of a file that are read at once."""
END = 2**53
FILTERS = (
    Parameter("level", "This level and those above it.", choices=LEVELS),
    Parameter("task_name", "Only the lines of this task."),
    Parameter("task_execution_id", "Only the lines of this task execution.", "id"),
    Parameter("find", "With this text in them, in any case of letters."),
)
NAMES = tuple(one.name for one in FILTERS)
PLACES = (
    Parameter("after", "The lines behind the one with this `seq`.", "whole", most=END),
    Parameter("before", "The lines ahead of the one with this `seq`.", "whole", most=END),
)


@page("/executions/{id:str}/logs", asks=(*FILTERS, *PLACES))
def logs(id: str, services: Services, asked: Asked) -> Shown:
    """The newest lines, or those behind or ahead of one."""
    top = head(services, id)
    forward = asked["after"] is not None
    place = {"after": asked["after"]} if forward else {"before": asked["before"] or END}
    found = services.executions.find_logs(top.id, LogFilter(**_chosen(asked), **place, limit=LINES + 1))
    more = len(found) > LINES
    lines = found[:LINES] if forward else found[-LINES:]
    at_end = not more if forward else asked["before"] is None
    at_begin = not asked["after"] if forward else not more
    first, last = (lines[0].seq, lines[-1].seq) if lines else (END, asked["after"] or 0)
    own = f"{top.url}/logs"
    return Shown("execution_logs.html", {
        "head": top, "here": "Logs", "levels": LEVELS, "asked": asked,
        "lines": [(one, said(one.message, asked["find"])) for one in lines],
        "tasks": _tasks(services, top, asked["task_name"]),
        "begin": None if at_begin else href(own, **asked.of(*NAMES), after="0"),
        "earlier": None if at_begin else href(own, **asked.of(*NAMES), before=first),
        "later": None if at_end else href(own, **asked.of(*NAMES), after=last),
        "end": None if at_end else href(own, **asked.of(*NAMES)),
        "file": href(f"{own}/file", **asked.of(*NAMES)), "follow": _follow(top, asked, last) if at_end else "",
        "filtered": any(asked[name] for name in NAMES),
    })  # fmt: skip


@page("/executions/{id:str}/logs/file", asks=FILTERS)
def logs_file(id: str, services: Services, asked: Asked) -> Response[Any]:
    """All lines of the filter as a text: time, level, task and message, a line for each line of a message."""
    top = head(services, id)
    headers = {"Content-Disposition": f'attachment; filename="{top.view.id}.log"', "Cache-Control": "no-store"}
    return Stream(_text(services, top.id, asked), media_type="text/plain", headers=headers)


def said(message: str, find: str | None) -> Markup:
    """A message, or its beginning, with what was looked for marked."""
    text = message if len(message) <= LONGEST else f"{message[:LONGEST]}… ({len(message)} characters)"
    if not find:
        return escape(text)
    parts, at = [], 0
    for match in re.finditer(re.escape(find), text, re.IGNORECASE):
        parts += [escape(text[at : match.start()]), Markup("<mark>{}</mark>").format(match[0])]
        at = match.end()
    return Markup("").join([*parts, escape(text[at:])])


def _chosen(asked: Asked) -> dict[str, Any]:
    given = asked.of(*NAMES)
    return {**given, "level": given["level"] or LEVELS[0], "find": given["find"] or ""}


def _follow(top: Head, asked: Asked, last: int) -> str:
    """The stream of the lines that are to come, after those that are shown; `logs.js` looks for `find` itself."""
    if top.ended:
        return ""
    url = f"/api/v1/flow-executions/{top.id}/logs"
    if asked["task_execution_id"]:
        url = f"/api/v1/task-executions/{asked['task_execution_id']}/logs"
        return href(url, follow=True, level=asked["level"], after=str(last))
    return href(url, follow=True, level=asked["level"], task_name=asked["task_name"], after=str(last))


def _tasks(services: Services, top: Head, chosen: str | None) -> list[str]:
    names = [one.task_name for one in services.executions.outline(top.id)][:1000]
    return names if chosen is None or chosen in names else [*names, chosen]


def _text(services: Services, execution_id: str, asked: Asked) -> Iterator[bytes]:
    after = 0
    while True:
        which = LogFilter(**_chosen(asked), after=after, limit=CHUNK)
        found = services.executions.find_logs(execution_id, which)
        yield "".join(f"{iso(one.at)} {one.level:5} {one.task_name or '-'} {one.message}\n" for one in found).encode(
            "utf-8", "replace"
        )
        if len(found) < CHUNK:
            return
        after = found[-1].seq


PAGES = (logs, logs_file)
