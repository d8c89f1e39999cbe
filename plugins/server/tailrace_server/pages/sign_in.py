"""`/sign-in` and `/sign-out`: an API key opens a session of the browser."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response

from core.host.deployment import Deployment
from tailrace_server.access import SESSION, Caller, session_of
from tailrace_server.asked import Asked, Parameter
from tailrace_server.cookies import set_cookie
from tailrace_server.pages.paged import Go, Shown, action, page
from tailrace_server.pages.parts import Form
from tailrace_server.pages.wrong import SIGN_IN

HOURS = 12
LARGEST = 64 * 1024
"""Bytes of the form, which everybody may send."""
NEXT = Parameter("next", "Where to go on, on this server.")
UNKNOWN = "This API key is not known, was revoked, or has expired."


@page(SIGN_IN, asks=(NEXT,), role=None)
def sign_in(caller: Caller | None, asked: Asked) -> Shown | Go:
    """The form; who needs none goes on at once."""
    following = local(asked["next"])
    if caller is not None:
        return Go(following)
    return Shown("sign_in.html", {"next": following, "problem": "", "hours": HOURS})


@action(SIGN_IN, role=None, most=LARGEST)
def begin_session(request: Request[Any, Any, Any], form: Form) -> Shown | Response[Any]:
    """A session for a key that opens something."""
    given, following = form.get("key"), local(form.get("next"))
    token = _deployment(request).keys.sign_in(given.strip(), hours=HOURS) if isinstance(given, str) else None
    if token is None:
        return Shown("sign_in.html", {"next": following, "problem": UNKNOWN, "hours": HOURS}, 422)
    return _with_cookie(request, following, token, HOURS * 60 * 60)


@action("/sign-out", role="viewer")
def end_session(request: Request[Any, Any, Any]) -> Response[Any]:
    """The session of this browser has ended, on the server too."""
    _deployment(request).keys.sign_out(session_of(request.headers))
    return _with_cookie(request, SIGN_IN, "", 0)


def local(given: object) -> str:
    """An address below this server as it was given, else `/`: what is signed in must not go on to elsewhere."""
    return given if isinstance(given, str) and re.fullmatch(r"/(?:(?![/\\])[!-\[\]-~]*)?", given) else "/"


def _deployment(request: Request[Any, Any, Any]) -> Deployment:
    found: Deployment = request.app.state.deployment
    return found


def _with_cookie(request: Request[Any, Any, Any], location: str, token: str, seconds: int) -> Response[Any]:
    headers = {"Location": location, "Set-Cookie": set_cookie(request, SESSION, token, seconds)}
    return Response(None, status_code=303, headers=headers)


PAGES = (sign_in, begin_session, end_session)
