"""`/executions`: all of them, newest first, by what people look for."""

from __future__ import annotations

import re
from typing import Any, get_args

from litestar import Request

from core.host.services import Services
from core.host.views import ExecutionFilter, ExecutionView
from tailrace_server.asked import PAGE, Asked, Parameter
from tailrace_server.drawing.sparkline import SLOTS, sparkline
from tailrace_server.pages.lists import CURSORS, Chosen, around, chosen
from tailrace_server.pages.paged import Shown, page
from tailrace_server.routes.flow_executions import FILTERS
from tailrace_server.schemas.common import State

ROWS = Parameter("limit", "How many rows a page has at most.", "whole", least=1, most=200, default=50)
ASKS = (*FILTERS, ROWS, *PAGE[1:])
FIELDS = ("flow_id", "namespace", "state", "label", "created_after", "created_before")
"""Filters that have a field: one value each. What else an address asks for is shown beside them."""
DATES = ("created_after", "created_before")


@page("/executions", asks=ASKS)
def executions(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Shown:
    """A page of the list, with the filters that made it."""
    found = services.executions.list(ExecutionFilter(**asked.of(*(one.name for one in ASKS))))
    filters = chosen(request, "limit")
    filled, others = _fields(filters)
    flows = sorted({(view.namespace, view.flow_id) for view in found.data})
    facts = {
        "found": found, "around": around(request, found), "filled": filled, "others": others, "filters": filters,
        "limit": asked["limit"] if asked["limit"] != ROWS.default else None, "states": get_args(State), "flows": flows,
        "pictures": _pictures(services, found.data), "live": not any(asked[name] for name in CURSORS),
        "now": services.now(), "one_flow": flows[0] if len(flows) == 1 and "flow_id" in filled else None,
    }  # fmt: skip
    return Shown("executions.html", facts)


def _fields(filters: list[Chosen]) -> tuple[dict[str, str], list[Chosen]]:
    """What the fields hold, and the filters that no field can show."""
    filled: dict[str, str] = {}
    others = []
    for one in filters:
        fits = one.name in FIELDS and one.name not in filled
        if fits and (one.name not in DATES or re.fullmatch(r"\d{4}-\d\d-\d\d", one.value)):
            filled[one.name] = one.value
        else:
            others.append(one)
    return filled, others


def _pictures(services: Services, rows: tuple[ExecutionView, ...]) -> dict[str, Any]:
    """By execution, how long it took among the newest ones of its flow."""
    flows = list(dict.fromkeys((view.namespace, view.flow_id) for view in rows))
    past = services.executions.past_runs(flows, SLOTS)
    return {view.id: sparkline(past.get((view.namespace, view.flow_id), ()), view.id) for view in rows}


PAGES = (executions,)
