"""`/executions`: all of them, newest first, by what people look for."""

from __future__ import annotations

from typing import Any, get_args

from litestar import Request

from core.host.services import Services
from core.host.views import ExecutionFilter, ExecutionView
from tailrace_server.asked import PAGE, Asked
from tailrace_server.drawing.sparkline import SLOTS, sparkline
from tailrace_server.pages.lists import CURSORS, ROWS, around, chosen, filled
from tailrace_server.pages.paged import Shown, page
from tailrace_server.routes.flow_executions import FILTERS
from tailrace_server.schemas.common import State

ASKS = (*FILTERS, ROWS, *PAGE[1:])
FIELDS = ("flow_id", "namespace", "state", "label", "created_after", "created_before")
"""Filters that have a field: one value each. What else an address asks for is shown beside them."""


@page("/executions", asks=ASKS)
def executions(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Shown:
    """A page of the list, with the filters that made it."""
    found = services.executions.list(ExecutionFilter(**asked.of(*(one.name for one in ASKS))))
    filters = chosen(request, "limit")
    held, others = filled(filters, FIELDS)
    flows = sorted({(view.namespace, view.flow_id) for view in found.data})
    facts = {
        "found": found, "around": around(request, found), "filled": held, "others": others, "filters": filters,
        "limit": asked["limit"] if asked["limit"] != ROWS.default else None, "states": get_args(State), "flows": flows,
        "pictures": _pictures(services, found.data), "live": not any(asked[name] for name in CURSORS),
        "now": services.now(), "one_flow": flows[0] if len(flows) == 1 and "flow_id" in held else None,
    }  # fmt: skip
    return Shown("executions.html", facts)


def _pictures(services: Services, rows: tuple[ExecutionView, ...]) -> dict[str, Any]:
    """By execution, how long it took among the newest ones of its flow."""
    flows = list(dict.fromkeys((view.namespace, view.flow_id) for view in rows))
    past = services.executions.past_runs(flows, SLOTS)
    return {view.id: sparkline(past.get((view.namespace, view.flow_id), ()), view.id) for view in rows}


PAGES = (executions,)
