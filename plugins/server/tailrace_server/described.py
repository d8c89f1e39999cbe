"""A route with what the API's document says of it: one decorator, and the words it takes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

from attrs import frozen
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.types import Empty

from core.host.product import Role
from tailrace_server.access import Caller, check_role
from tailrace_server.asked import Parameter
from tailrace_server.asked import read as read_query
from tailrace_server.given import read as read_body
from tailrace_server.media import JSON

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@frozen
class Header:
    """A header of a request or an answer, as the document describes it. pattern: of its whole value."""

    name: str
    text: str
    required: bool = False
    example: str = ""
    pattern: str = ""


@frozen
class Gives:
    """A good answer. shape: an attrs class; None has no body, or one that is no JSON. media: of the other forms."""

    shape: type[Any] | None
    text: str
    status: int = 200
    media: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()


@frozen
class Operation:
    """What is known of a route beside its path."""

    method: Method
    role: Role | None
    gives: tuple[Gives, ...]
    asks: tuple[Parameter, ...]
    takes: type[Any] | None
    media: str
    headers: tuple[Header, ...]
    refuses: tuple[int, ...]
    summary: str
    details: str


def route(
    method: Method,
    path: str,
    *gives: Gives,
    role: Role | None = "viewer",
    asks: Sequence[Parameter] = (),
    takes: type[Any] | None = None,
    media: str = JSON,
    headers: Sequence[Header] = (),
    refuses: Sequence[int] = (),
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """Make a function a route: its name is the operation's id, its docstring the words of the API's document.

    gives: the good answers, the first one is the usual. role: who may; None asks for no key. asks: query parameters;
    others are refused. takes: an attrs class, the JSON body; the function gets it as `given`; `bytes` for a
    body that it reads itself from `request`, and bounds itself. media: of the body.
    headers: of the request. refuses: statuses beside those that every route may answer.

    The function may take, by name: `services` (of the caller's organization), `caller`, `asked`, `given`, `request`,
    and the parameters of the path. One that is not async runs in a thread.
    """

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        summary, _, details = inspect.cleandoc(function.__doc__ or "").partition("\n")
        operation = Operation(
            method, role, gives, tuple(asks), takes, media, tuple(headers), tuple(refuses),
            summary.removesuffix("."), details.strip(),
        )  # fmt: skip
        handler = HTTPRouteHandler(
            path,
            http_method=method,
            status_code=200,  # only where an answer has none of its own: all of ours do
            opt={"operation": operation},
            name=function.__name__,
            request_max_body_size=None if takes is bytes else Empty,
        )
        return handler(_answering(function, operation))

    return decorate


def _answering(function: Callable[..., Any], operation: Operation) -> Callable[..., Any]:
    """What Litestar calls. It would find the arguments by name itself, which took longer than most of our functions."""
    names = tuple(inspect.signature(function).parameters)
    waits = inspect.iscoroutinefunction(function)

    async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        state = request.scope["state"]
        if operation.role is not None:
            check_role(state["caller"], operation.role)
        known = {
            "request": request, "services": state.get("services"), "caller": state.get("caller"),
            "asked": read_query(request.scope["query_string"], operation.asks), **request.path_params,
        }  # fmt: skip
        if operation.takes not in (None, bytes):
            known["given"] = await read_body(request, operation.takes)
        values = {name: known[name] for name in names}
        if waits:
            found: Response[Any] = await function(**values)
            return found
        async with room(request, state.get("caller")):
            return await asyncio.to_thread(function, **values)

    return answer


@asynccontextmanager
async def room(request: Request[Any, Any, Any], caller: Caller | None, *, slow: bool = False) -> AsyncIterator[None]:
    """Three quarters of the threads, for each organization: what one asks for, however slow, holds no other up.

    slow: a third of these, so that what is quick goes on beside it, and what it takes of memory has an end.
    """
    if caller is None:
        yield
        return
    threads: int = request.app.state.options.threads
    async with AsyncExitStack() as rooms:
        if slow:
            await rooms.enter_async_context(_seats(request, f"{caller.organization} slow", threads // 4))
        await rooms.enter_async_context(_seats(request, caller.organization, threads * 3 // 4))
        yield


def _seats(request: Request[Any, Any, Any], name: str, number: int) -> asyncio.Semaphore:
    rooms: dict[str, asyncio.Semaphore] = request.app.state.rooms
    return rooms.setdefault(name, asyncio.Semaphore(max(1, number)))


def options_of(handlers: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """A route for OPTIONS of each path. Those that Litestar makes know only the first method; they must come before."""
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        for path in handler.paths:
            methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    return [_options(path, allowed(found)) for path, found in methods.items()]


def allowed(methods: Iterable[str]) -> str:
    """What `Allow` says; whatever can be read can be asked for its head."""
    found = set(methods)
    return ", ".join(sorted(found | {"HEAD"} if "GET" in found else found))


def _options(path: str, allow: str) -> HTTPRouteHandler:
    async def options() -> Response[Any]:
        return Response(None, status_code=204, headers={"Allow": allow})

    return HTTPRouteHandler(path, http_method="OPTIONS", status_code=200, include_in_schema=False)(options)
