"""`GET /events`: what was committed, as it is committed."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from core.host.services import Services
from tailrace_server.access import Caller
from tailrace_server.asked import Asked, Parameter
from tailrace_server.described import Gives, Header, route
from tailrace_server.follow import SSE, endless, last_event_id
from tailrace_server.listening import Listeners, Wanted

KINDS = ("flow_execution", "task_execution", "task_output")
RESUME = Header("Last-Event-ID", "The `id` of the last event that was seen: it goes on after that one.", example="4711")
FILTERS = (
    Parameter("kind", "What it is about.", many=True, choices=KINDS),
    Parameter("flow_execution_id", "Only what belongs to these executions.", "id", many=True),
)


@route(
    "GET", "/events", Gives(None, "Events, each with `id`, `event` and a JSON object as `data`.", media=(SSE,)),
    asks=FILTERS, headers=(RESUME,),
)  # fmt: skip
def follow_events(request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked) -> Response[Any]:
    """Server-sent events: executions and task executions that entered a state, outputs that were changed.

    In the order of commits, from whichever process they come. A client that comes back with `Last-Event-ID` misses
    nothing, as long as what it missed is still kept (the newest 200 000 events).
    """
    newest = services.feed.last()
    after = last_event_id(request.headers, newest)
    wanted = Wanted(frozenset(asked["kind"]), frozenset(asked["flow_execution_id"]))
    listeners: Listeners = request.app.state.listeners
    return endless(request, listeners.events(caller.organization, services.feed, wanted, after, newest))


ROUTES = (follow_events,)
