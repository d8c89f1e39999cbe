"""Server-sent events: what is recorded from now on, as it comes, until the client goes or the server closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from threading import Event as Flag
from time import monotonic
from typing import Any, Generic, TypeVar

from attrs import frozen
from litestar import Request, Response
from litestar.response import Stream
from litestar.types import Receive, Scope, Send

from tailrace_server.plain import json_bytes

SSE = "text/event-stream"
LOOK_SECONDS = 0.2
HEARTBEAT_SECONDS = 15.0
"""So often a line is sent when nothing else is: else a proxy would think the connection dead."""
BEGINNING = b"retry: 2000\n\n"
STILL_HERE = b": still here\n\n"
T = TypeVar("T")


@frozen
class Sent:
    """One event. number: where a client goes on that comes back with it as `Last-Event-ID`."""

    number: int
    kind: str
    data: Any

    def __bytes__(self) -> bytes:
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.number, self.kind.encode(), json_bytes(self.data))


@frozen
class Followed(Generic[T]):
    """What is followed. look: what came after a number, in order. over: whether nothing more will come."""

    look: Callable[[int], Sequence[Sent]]
    over: Callable[[], bool] = lambda: False


def follow(request: Request[Any, Any, Any], followed: Followed[Any], after: int) -> Response[Any]:
    """An answer without an end, until the server stops; to HEAD the beginning of it is all."""
    return endless(request, _events(followed, after, request.app.state.closing))


def endless(request: Request[Any, Any, Any], events: AsyncGenerator[bytes, None]) -> Response[Any]:
    """An answer of events, as they come. They are closed as soon as the client has gone."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.scope["state"].get("head"):
        return Response(b"", media_type=SSE, headers=headers)
    return Endless(events, media_type=SSE, headers=headers)


class Endless(Stream):
    """A stream that closes what it sends. Litestar leaves that to the garbage collector, when a client goes that had
    not taken all it was sent."""

    iterator: AsyncGenerator[bytes, None]

    def to_asgi_response(self, *given: Any, **more: Any) -> Any:
        answer = super().to_asgi_response(*given, **more)

        async def sent(scope: Scope, receive: Receive, send: Send) -> None:
            async with aclosing(self.iterator):
                await answer(scope, receive, send)

        return sent


async def _events(followed: Followed[Any], after: int, closing: Flag) -> AsyncGenerator[bytes, None]:
    yield BEGINNING
    quiet_since = monotonic()
    while not closing.is_set():
        over = await asyncio.to_thread(followed.over)  # asked first: what came before the end is not missed
        found = await asyncio.to_thread(followed.look, after)
        if found:
            yield b"".join(map(bytes, found))  # one piece: a client that goes is noticed between pieces only
            after, quiet_since = found[-1].number, monotonic()
            continue
        if over:
            yield bytes(Sent(after, "end", {}))
            return
        if monotonic() - quiet_since > HEARTBEAT_SECONDS:
            quiet_since = monotonic()
            yield STILL_HERE
        await asyncio.sleep(LOOK_SECONDS)


def last_event_id(headers: Any, default: int) -> int:
    """The `Last-Event-ID` of a client that comes back; the default for a new one, or one that makes no sense."""
    given = headers.get("last-event-id", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else default
