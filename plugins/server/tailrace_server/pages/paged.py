"""A page as a function: one decorator for what is looked at, one for what changes something."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import parse_qsl, quote

from attrs import field, frozen
from litestar import Request, Response
from litestar.datastructures import FormMultiDict
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.types import Empty

from core.host.product import Role
from tailrace_server.access import CSRF_HEADER, Caller, check_csrf, check_role
from tailrace_server.asked import Parameter
from tailrace_server.asked import read as read_query
from tailrace_server.described import room
from tailrace_server.errors import Refused
from tailrace_server.pages.looks import Looks

Form = FormMultiDict
CSRF = "csrf"
"""The field of every form that changes something."""
FIELDS = 1000
"""Of a form; one with files may have as many."""
IN_ADDRESSES = "%/:?#[]@!$&'()*+,;=~"
"""What stands in an address as it is, beside letters, digits and `_.-`."""


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


def page(
    path: str, *, asks: Sequence[Parameter] = (), role: Role | None = "viewer", slow: bool = False
) -> Callable[..., HTTPRouteHandler]:
    """Make a function a page that is looked at. role: who may; None is for everybody, and the caller may be None.
    slow: it may read much, so that few of them are made at once.

    It may take, by name, `request`, `services`, `caller`, `asked`, and what is in the path, and gives `Shown`, `Go`, or
    a `Response` of its own.
    """

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        return _handler(path, "GET", function, role, asks, slow=slow)

    return decorate


def action(path: str, *, role: Role | None = "editor", most: int | None = None) -> Callable[..., HTTPRouteHandler]:
    """Make a function something that a form does. most: bytes of the form, where they are fewer than of any request.

    It may take what a page takes, and `form`: what was filled in, files too. Refused without the token that our own
    forms hold, unless it is for everybody (role None): then nobody is known yet whose form it could be.
    """

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        return _handler(path, "POST", function, role, (), most=most)

    return decorate


def _handler(
    path: str,
    method: Literal["GET", "POST"],
    function: Callable[..., Any],
    role: Role | None,
    asks: Sequence[Parameter],
    *,
    slow: bool = False,
    most: int | None = None,
) -> HTTPRouteHandler:
    names = tuple(inspect.signature(function).parameters)

    async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        state = request.scope["state"]
        caller: Caller | None = state.get("caller")
        if role is not None:
            check_role(state["caller"], role)
        known = {
            "request": request, "services": state.get("services"), "caller": caller,
            "asked": read_query(_filled(request.scope["query_string"]), asks), **request.path_params,
        }  # fmt: skip
        if method == "POST":
            known["form"] = await _form(request)
            if role is not None:
                _check_token(request, caller, known["form"])
        values = {name: known[name] for name in names}
        async with room(request, caller, slow=slow):
            return await asyncio.to_thread(lambda: answer_of(request, function(**values)))

    name = f"page_{function.__name__}"
    return HTTPRouteHandler(
        path, http_method=method, status_code=200, name=name, include_in_schema=False,
        request_max_body_size=Empty if most is None else most,
    )(answer)  # fmt: skip


def answer_of(request: Request[Any, Any, Any], found: Shown | Go | Response[Any]) -> Response[Any]:
    """What a page's function gave, as an answer."""
    if isinstance(found, Go):
        location = quote(found.url, safe=IN_ADDRESSES, errors="replace")
        return Response(None, status_code=303, headers={"Location": location})
    if isinstance(found, Shown):
        looks: Looks = request.app.state.looks
        return looks.answer(request, found.template, found.facts, found.status)
    return found


async def _form(request: Request[Any, Any, Any]) -> Form:
    """What was filled in. Raises Refused for what can't be read, and for more fields than any form of ours has: reading
    them would hold up others."""
    if request.content_type[0] != RequestEncodingType.URL_ENCODED:
        try:
            return await request.form()
        except (LookupError, UnicodeDecodeError):  # a part can name its encoding
            raise Refused(422, "the form is in no encoding that can be read") from None
    text = (await request.body()).decode("utf-8", "replace")
    try:
        fields = await asyncio.to_thread(parse_qsl, text, keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError:
        raise Refused(422, f"the form has more than {FIELDS} fields") from None
    return FormMultiDict(fields)


def _filled(query: bytes) -> bytes:
    """Without what was left empty in a form: browsers send that too."""
    return b"&".join(part for part in query.split(b"&") if not re.fullmatch(rb"[\w.]+=", part))


def _check_token(request: Request[Any, Any, Any], caller: Caller | None, form: Form) -> None:
    told = "this form is not of this server, or somebody signed in anew since: load its page again"
    if caller is not None:
        check_csrf(caller, request.headers.get(CSRF_HEADER) or form.get(CSRF), told)
