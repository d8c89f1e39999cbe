"""`/outputs`: what came out, across executions, as a list that can be narrowed, tagged and taken away."""

from __future__ import annotations

from typing import Any, get_args

from litestar import Request, Response
from litestar.response import Stream

from core.host.services import Services
from core.host.views import OutputFilter
from core.sdk import Invalid
from tailrace_server.access import Caller
from tailrace_server.asked import PAGE, Asked, Parameter
from tailrace_server.exports import export
from tailrace_server.ids import known_id
from tailrace_server.media import CSV, NDJSON, PARQUET
from tailrace_server.outputs import FIELDS, FILTERS, ORDER, condition, filter_of
from tailrace_server.pages.lists import CURSORS, ROWS, address, around, chosen, filled, pairs_of
from tailrace_server.pages.paged import Go, Shown, action, page
from tailrace_server.pages.parts import Form
from tailrace_server.schemas.common import State

WHERE = Parameter("where", "Conditions on the summary, joined by commas: `rows>=5, region=EU`.")
ASKS = (*FILTERS, WHERE, ORDER, *PAGE[1:])
FORMATS = {"csv": CSV, "jsonl": NDJSON, "parquet": PARQUET}
FORMAT = Parameter("format", "Of the file.", choices=tuple(FORMATS), default="csv")
MORE = ("state", "tag_all", "modified_by", "flow_execution_id", "updated_after", "updated_before")
"""Filters of the form that are folded until one of them holds."""
IN_FORM = (
    "search", "flow_id", "namespace", "task_name", "status", "tag", "created_after", "created_before", "where", *MORE,
)  # fmt: skip
"""Filters that have a field; of the others, and of more than one value, the page shows what holds."""


@page("/outputs", asks=(*ASKS, ROWS))
def outputs(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Shown:
    """The list."""
    found = services.outputs.list(asked_for(asked, limit=asked["limit"]))
    kept = [pair for pair in pairs_of(request) if pair[0] not in (*CURSORS, "order")]
    turned = address(request, kept if asked["order"] == "oldest" else [*kept, ("order", "oldest")])
    facts = {"found": found, "around": around(request, found), "turned": turned}
    return Shown("across.html", {**facts, **filters_of(request, asked)})


@page("/outputs/export", asks=(*ASKS, FORMAT))
def export_outputs(services: Services, caller: Caller, asked: Asked) -> Response[Any]:
    """The whole list as a file, streamed."""
    media = FORMATS[asked["format"]]
    stream = export(services, asked_for(asked, limit=100), caller.organization, FIELDS, media)
    headers = {"Content-Disposition": f'attachment; filename="outputs.{asked["format"]}"'}
    return Stream(stream, media_type=media, headers=headers)


@action("/outputs/tags")
def tag_outputs(services: Services, caller: Caller, form: Form) -> Go:
    """Give the chosen rows a tag, or take it from them."""
    ids = [known_id(str(one), "task output") for one in form.getall("id", [])]
    key, value = str(form.get("key", "")).strip(), str(form.get("value", "")).strip()
    if not ids:
        raise Invalid("no row is chosen", hint="tick the rows that are to have the tag")
    if form.get("change") == "remove":
        services.changes.tag(ids, {}, [key], by=caller.actor)
    else:
        services.changes.tag(ids, {key: value}, [], by=caller.actor)
    query = str(form.get("query", ""))
    return Go(f"/outputs?{query}" if query else "/outputs")


def asked_for(asked: Asked, *, limit: int) -> OutputFilter:
    """The filter of a page's query. Raises Refused."""
    which = filter_of(asked, limit=limit, brief=False)
    conditions = tuple(condition((one.strip(), "", False)) for one in (asked["where"] or "").split(",") if one.strip())
    return OutputFilter(**{**vars(which), "summary": (*which.summary, *conditions)})


def filters_of(request: Request[Any, Any, Any], asked: Asked) -> dict[str, Any]:
    """What the form of filters shows, and what else holds."""
    held, others = filled(chosen(request, "limit", "chart", "format", "order"), IN_FORM)
    query = "&".join(part for part in asked.raw.split("&") if part and not part.startswith(("starting_", "ending_")))
    return {
        "filled": {name: held.get(name, "") for name in IN_FORM}, "more": any(name in held for name in MORE),
        "extra": others, "filters": query, "states": get_args(State), "oldest_first": asked["order"] == "oldest",
    }  # fmt: skip


PAGES = (outputs, export_outputs, tag_outputs)
