"""Cookies, which scripts can't read and pages of others do not send along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request

from tailrace_server.options import Options


def cookie(headers: Mapping[str, str], name: str) -> str:
    """What a cookie of a request holds, "" without it. headers: by lower-case name."""
    pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
    return next((value for found, _, value in pairs if found == name), "")


def set_cookie(request: Request[Any, Any, Any], name: str, value: str, seconds: int, path: str = "/") -> str:
    """The header `Set-Cookie`. seconds: how long it is kept; 0 forgets it. path: of the addresses it is sent to."""
    options: Options = request.app.state.options
    forwarded = request.headers.get("x-forwarded-proto", "") if options.behind_proxy else ""
    secure = "https" in (request.scope["scheme"], forwarded.rpartition(",")[2].strip().lower())
    told = f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    return f"{told}; Secure" if secure else told
