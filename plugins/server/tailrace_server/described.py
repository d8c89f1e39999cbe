"""A route with what the API's document says of it: one decorator, and the words it takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal

from attrs import frozen
from litestar import Response
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from core.host.product import Role
from tailrace_server.access import guard
from tailrace_server.asked import Parameter
from tailrace_server.media import JSON

GIVEN_BY_NAME = {"services", "caller", "asked", "given"}
"""What `tailrace_server.app` provides."""
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
    body that it reads itself from `request`. media: of the body.
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
        _mark(function, path)
        handler = HTTPRouteHandler(
            path,
            http_method=method,
            status_code=200,  # only where an answer has none of its own: all of ours do
            guards=[guard(role)] if role else [],
            opt={"operation": operation},
            sync_to_thread=None if inspect.iscoroutinefunction(function) else True,
            name=function.__name__,
        )
        return handler(function)

    return decorate


def _mark(function: Callable[..., Any], path: str) -> None:
    """Say of each argument where it comes from, as Litestar wants it; what we provide it need not check."""
    for name in GIVEN_BY_NAME & function.__annotations__.keys():
        function.__annotations__[name] = NamedDependency[Any]  # type: ignore[misc]  # an alias, no class
    for name in re.findall(r"{(\w+):", path):
        function.__annotations__[name] = Annotated[str, PathParameter()]


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
