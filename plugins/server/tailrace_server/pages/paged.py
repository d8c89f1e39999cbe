"""A page as a function: one decorator for what is looked at, one for what changes something."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Literal
from urllib.parse import parse_qsl, quote

from attrs import field, frozen
from litestar import Request, Response
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.types import Empty

from core.host.product import Role
from tailrace_server.access import CSRF_HEADER, Caller, check_csrf, check_role
from tailrace_server.asked import Parameter
from tailrace_server.asked import read as read_query
from tailrace_server.described import room
from tailrace_server.errors import Refused
from tailrace_server.options import Options
from tailrace_server.pages.looks import Looks
from tailrace_server.pages.parts import FIELDS, Form, PartsReader
from tailrace_server.pages.saying import said_on, say_on
from tailrace_server.receiving import own_folder, pieces

CSRF = "csrf"
"""The field of every form that changes something."""
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
    """Where the browser goes on after an action. said: what is told there, once; its address has no query then."""

    url: str
    said: Sequence[str] = ()


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


def action(
    path: str, *, role: Role | None = "editor", most: int | None = None, files: bool = False
) -> Callable[..., HTTPRouteHandler]:
    """Make a function something that a form does. most: bytes of the form, where they are fewer than of any request.

    It may take what a page takes, and `form`: what was filled in. files: also files, each an `Upload`, which are there
    until the function is done. Refused without the token that our own forms hold, before any file, unless it is for
    everybody (role None): then nobody is known yet whose form it could be.
    """

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        return _handler(path, "POST", function, role, (), most=most, files=files)

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
    files: bool = False,
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

        async def done() -> Response[Any]:
            values = {name: known[name] for name in names}
            async with room(request, caller, slow=slow):
                return await asyncio.to_thread(lambda: answer_of(request, function(**values)))

        if method == "GET":
            return await done()
        async with _form(request, None if role is None else caller, files=files) as known["form"]:
            return await done()

    name = f"page_{function.__name__}"
    return HTTPRouteHandler(
        path, http_method=method, status_code=200, name=name, include_in_schema=False,
        request_max_body_size=None if files else Empty if most is None else most,  # with files it is bounded by parts
    )(answer)  # fmt: skip


def answer_of(request: Request[Any, Any, Any], found: Shown | Go | Response[Any]) -> Response[Any]:
    """What a page's function gave, as an answer."""
    if isinstance(found, Go):
        headers = {"Location": quote(found.url, safe=IN_ADDRESSES, errors="replace")}
        kept = say_on(request, found.url, found.said) if found.said else ""
        return Response(None, status_code=303, headers={**headers, "Set-Cookie": kept} if kept else headers)
    if isinstance(found, Shown):
        looks: Looks = request.app.state.looks
        said, forget = said_on(request)
        answer = looks.answer(request, found.template, {**found.facts, "said": said}, found.status)
        if forget:
            answer.headers["Set-Cookie"] = forget
        return answer
    return found


@asynccontextmanager
async def _form(request: Request[Any, Any, Any], caller: Caller | None, *, files: bool) -> AsyncIterator[Form]:
    """What was filled in by the caller; None: by anybody. Its files are gone when the block ends.

    Raises Refused for what can't be read, is no form of ours, or is too much: reading it would hold up others.
    """
    kind, about = request.content_type
    options: Options = request.app.state.options
    if kind != RequestEncodingType.MULTI_PART:
        form = await _fields(request, options.max_request) if kind == RequestEncodingType.URL_ENCODED else Form()
        _check_token(request, caller, form)
        yield form
        return

    def admit(form: Form) -> None:
        _check_token(request, caller, form)

    most_files = options.max_upload if files else 0
    body = pieces(request, options.max_request + most_files)
    async with own_folder() if files else nullcontext() as folder:
        reader = PartsReader(folder, admit, options.max_request, most_files)
        form = await reader.read(body, about.get("boundary", ""))
        admit(form)
        yield form


async def _fields(request: Request[Any, Any, Any], most: int) -> Form:
    text = b"".join([piece async for piece in pieces(request, most)]).decode("utf-8", "replace")
    try:
        fields = await asyncio.to_thread(parse_qsl, text, keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError:
        raise Refused(422, f"the form has more than {FIELDS} fields") from None
    return Form(fields)


def _filled(query: bytes) -> bytes:
    """Without what was left empty in a form: browsers send that too."""
    return b"&".join(part for part in query.split(b"&") if not re.fullmatch(rb"[\w.]+=", part))


def _check_token(request: Request[Any, Any, Any], caller: Caller | None, form: Form) -> None:
    told = "this form is not of this server, or somebody signed in anew since: load its page again"
    if caller is not None:
        check_csrf(caller, request.headers.get(CSRF_HEADER) or form.get(CSRF), told)
