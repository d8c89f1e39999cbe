"""A page as a function: one decorator for what is looked at, one for what changes something."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from typing import Any, Literal

from attrs import field, frozen
from litestar import Request, Response
from litestar.datastructures import FormMultiDict
from litestar.handlers import HTTPRouteHandler

from core.host.product import Role
from tailrace_server.access import Caller, check_role
from tailrace_server.asked import Parameter
from tailrace_server.asked import read as read_query
from tailrace_server.described import room
from tailrace_server.errors import Refused
from tailrace_server.pages.looks import Looks

Form = FormMultiDict
CSRF = "csrf"
"""The field of every form that changes something."""


@frozen
class Shown:
    """A page to be rendered. facts: what its template names."""

    template: str
    facts: Mapping[str, Any] = field(factory=dict)
    status: int = 200


@frozen
class Go:
    """Where the browser goes on after an action."""

    url: str


def page(path: str, *, asks: Sequence[Parameter] = (), role: Role = "viewer") -> Callable[..., HTTPRouteHandler]:
    """Make a function a page that is looked at.

    It may take, by name, `request`, `services`, `caller`, `asked`, and what is in the path, and gives `Shown`, `Go`, or
    a `Response` of its own.
    """

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        return _handler(path, "GET", function, role, asks)

    return decorate


def action(path: str, *, role: Role = "editor") -> Callable[..., HTTPRouteHandler]:
    """Make a function something that a form does.

    It may take what a page takes, and `form`: what was filled in, files too. Refused without the token that our own
    forms hold.
    """

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        return _handler(path, "POST", function, role, ())

    return decorate


def _handler(
    path: str, method: Literal["GET", "POST"], function: Callable[..., Any], role: Role, asks: Sequence[Parameter]
) -> HTTPRouteHandler:
    names = tuple(inspect.signature(function).parameters)

    async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        state = request.scope["state"]
        caller: Caller = state["caller"]
        check_role(caller, role)
        known = {
            "request": request, "services": state["services"], "caller": caller,
            "asked": read_query(request.scope["query_string"], asks), **request.path_params,
        }  # fmt: skip
        if method == "POST":
            known["form"] = await request.form()
            _check_token(request, caller, known["form"])
        values = {name: known[name] for name in names}
        async with room(request, caller):
            return await asyncio.to_thread(lambda: answer_of(request, function(**values)))

    name = f"page_{function.__name__}"
    return HTTPRouteHandler(path, http_method=method, status_code=200, name=name, include_in_schema=False)(answer)


def answer_of(request: Request[Any, Any, Any], found: Shown | Go | Response[Any]) -> Response[Any]:
    """What a page's function gave, as an answer."""
    if isinstance(found, Go):
        return Response(None, status_code=303, headers={"Location": found.url})
    if isinstance(found, Shown):
        looks: Looks = request.app.state.looks
        return looks.answer(request, found.template, found.facts, found.status)
    return found


def _check_token(request: Request[Any, Any, Any], caller: Caller, form: Form) -> None:
    given = request.headers.get("x-csrf-token") or form.get(CSRF)
    if caller.csrf and not (isinstance(given, str) and compare_digest(given.encode(), caller.csrf.encode())):
        raise Refused(403, "this form is not of this server, or somebody signed in anew since: load its page again")
