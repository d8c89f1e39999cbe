"""`GET /events`: what was committed, as it is committed."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from core.host.product import Event
from core.host.services import Services
from tailrace_server.asked import Asked, Parameter
from tailrace_server.described import Gives, Header, route
from tailrace_server.follow import SSE, Followed, Sent, follow, last_event_id
from tailrace_server.times import iso

MANY = 500
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
def follow_events(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Response[Any]:
    """Server-sent events: executions and task executions that entered a state, outputs that were changed.

    In the order of commits, from whichever process they come. A client that comes back with `Last-Event-ID` misses
    nothing, as long as what it missed is still kept (the newest 200 000 events).
    """

    passed = 0

    def look(after: int) -> list[Sent]:
        nonlocal passed  # what the filters leave out is not read again
        found: list[Sent] = []
        while not found:
            events = services.feed.events(max(after, passed), MANY)
            found = [_sent(event) for event in events if _asked_for(event, asked)]
            passed = events[-1].seq if events else passed
            if len(events) < MANY:
                break
        return found

    after = last_event_id(request.headers, -1)
    return follow(request, Followed(look), services.feed.last() if after < 0 else after)


def _asked_for(event: Event, asked: Asked) -> bool:
    kinds, executions = asked["kind"], asked["flow_execution_id"]
    return (not kinds or event.kind in kinds) and (not executions or event.flow_execution_id in executions)


def _sent(event: Event) -> Sent:
    shown = {
        "kind": event.kind, "id": event.id, "flow_execution_id": event.flow_execution_id,
        "task_name": event.name or None, "state": event.state, "status": event.status, "at": iso(event.at),
    }  # fmt: skip
    return Sent(event.seq, event.kind, shown)


ROUTES = (follow_events,)
