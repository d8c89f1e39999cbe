"""`/executions/{id}/outputs`: everything that came out of one execution, any value of it beside the list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from attrs import frozen
from litestar import Request

from core.host.overviews import Lineage, ReadLink
from core.host.services import Services
from core.host.views import OutputFilter, TaskExecutionView
from core.sdk import NotFound
from tailrace_server.asked import PAGE, Asked, Parameter
from tailrace_server.ids import known_id
from tailrace_server.outputs import ORDER
from tailrace_server.pages.copying import Copy, copies, keys_along
from tailrace_server.pages.evaluator import Question, tasks_of
from tailrace_server.pages.execution import Head, head
from tailrace_server.pages.lists import around
from tailrace_server.pages.output_rows import Address, rows
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import href
from tailrace_server.showing.links import VALUE_ASKS, VALUE_NAMES, Links, keys_of
from tailrace_server.showing.values import LARGEST, ShownValue, shown_output, value_page

OUTPUTS: Final = 50
"""Task outputs on one page, each with as many rows as it has values."""
WHAT = "task output"
ASKS = (
    Parameter("search", "Part of the name of a task, of a loop's value, or of what came out."),
    Parameter("task", "Only of this task."),
    Parameter("show", "The id of the task output that is shown beside the list.", "id"),
    Parameter("name", "The value of this name in it; the whole output without."),
    ORDER,
    *PAGE[1:],
    *VALUE_ASKS,
)
KEPT = ("search", "task", "order", "starting_after", "ending_before")
"""What of an address stays when another value is looked at."""


@frozen
class Linked:
    """The other end of a reading. url: where it is shown, "" for what is no task's."""

    link: ReadLink
    url: str


@frozen
class Docked:
    """The value beside the list. title: its name in the output. page: shows it by itself, as it is shown here.
    readers: by what they read of the output."""

    view: TaskExecutionView
    title: str
    shown: ShownValue
    copies: tuple[Copy, ...]
    page: str
    lineage: Lineage
    sources: tuple[Linked, ...]
    readers: tuple[tuple[str, tuple[Linked, ...]], ...]


@page("/executions/{id:str}/outputs", asks=ASKS, slow=True)
def execution_outputs(request: Request[Any, Any, Any], services: Services, asked: Asked, id: str) -> Shown:
    """The list, and the value that was chosen."""
    top = head(services, id)
    found = services.outputs.list(OutputFilter(
        flow_execution_id=(top.id,), task_name=(asked["task"],) if asked["task"] else (), search=asked["search"] or "",
        limit=OUTPUTS, starting_after=asked["starting_after"], ending_before=asked["ending_before"],
        oldest_first=asked["order"] == "oldest",
    ))  # fmt: skip
    address = _addresses(top, asked)
    docked = _docked(request, services, top, asked, address) if asked["show"] else None
    chosen = (asked["show"] or "", asked["name"] or "", asked["at"] or "")
    facts = {
        "head": top, "here": "Outputs", "rows": tuple(rows(services, found.data, address, chosen)),
        "looped": any(view.path for view in found.data), "around": around(request, found), "docked": docked,
        "asked": {name: asked[name] or "" for name in ("search", "task", "show", "name", "at", "order")},
        "tasks": tasks_of(services, top.id), "more": found.next is not None, "question": Question(),
    }  # fmt: skip
    return Shown("outputs_tab.html", facts)


def _addresses(top: Head, asked: Asked) -> Address:
    kept = asked.of(*KEPT)
    if kept["order"] == ORDER.default:
        del kept["order"]

    def address(output_id: str, name: str, at: str) -> str:
        return href(f"{top.url}/outputs", **kept, show=output_id, name=name, at=at)

    return address


def _docked(request: Request[Any, Any, Any], services: Services, top: Head, asked: Asked, address: Address) -> Docked:
    """Raises NotFound for what is not of this execution."""
    view = services.outputs.get(known_id(asked["show"], WHAT))
    if view.flow_execution_id != top.id:
        raise NotFound(f"there is no {WHAT} `{view.id}` in this execution")
    name, at = asked["name"] or "", asked["at"] or ""
    shown = shown_output(services, view, name, address=address(view.id, name, ""), query=asked)
    keys, value = _place(services, view, [*([name] if name else []), *keys_of(at)])
    lineage = services.outputs.lineage(view.id)
    by_itself = Links(value_page(view.id, name), asked.of(*VALUE_NAMES)).to()
    return Docked(
        view, ".".join(map(str, keys)), shown, copies(request, view, keys, value), by_itself, lineage,
        _linked(lineage.sources, address), _by_what(_linked(lineage.readers, address)),
    )  # fmt: skip


def _place(services: Services, view: TaskExecutionView, names: list[str]) -> tuple[list[str | int], Any]:
    """Where a value is in its output, and the value, as far as the output can be read."""
    if view.output_size is None or view.output_size > LARGEST:
        return list(names), None
    value = services.outputs.value(view.id)
    keys = keys_along(value, names)
    for key in keys:
        value = value[key]
    return keys, value


def _linked(links: Iterable[ReadLink], address: Address) -> tuple[Linked, ...]:
    return tuple(
        Linked(link, address(link.task_execution_id, "", "") if link.task_execution_id else "") for link in links
    )


def _by_what(links: tuple[Linked, ...]) -> tuple[tuple[str, tuple[Linked, ...]], ...]:
    """In the order in which what was read first comes."""
    found: dict[str, list[Linked]] = {}
    for one in links:
        found.setdefault(one.link.what, []).append(one)
    return tuple((what, tuple(readers)) for what, readers in found.items())


PAGES = (execution_outputs,)
