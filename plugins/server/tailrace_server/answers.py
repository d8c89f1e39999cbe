"""Good answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from litestar import Request, Response

from core.host.views import Page
from tailrace_server.errors import Refused
from tailrace_server.media import JSON
from tailrace_server.plain import json_bytes


def json_answer(
    value: Any, *, status: int = 200, version: int | None = None, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    """A value as JSON. version: of a record, which is the first part of the ETag then."""
    body = json_bytes(value)
    more = dict(headers or {})
    if version is not None:
        more["ETag"] = f'"{version}-{sha256(body).hexdigest()[:24]}"'
    return Response(body, status_code=status, media_type=JSON, headers=more)


def nothing() -> Response[Any]:
    """204."""
    return Response(None, status_code=204)


def page_object(request: Request[Any, Any, Any], page: Page[Any], rows: Sequence[Any]) -> dict[str, Any]:
    """One page of a list. next: where it goes on, or null."""
    return {"data": list(rows), "has_more": page.has_more, "next": next_url(request, page.next)}


def next_url(request: Request[Any, Any, Any], cursor: str | None) -> str | None:
    """The same request for the next page, in the direction it went."""
    if cursor is None:
        return None
    parts = request.scope["query_string"].decode("latin-1").split("&")
    backwards = any(part.partition("=")[0] == "ending_before" for part in parts)
    kept = [part for part in parts if part and part.partition("=")[0] not in ("starting_after", "ending_before")]
    name = "ending_before" if backwards else "starting_after"
    return f"{quote(request.scope['path'])}?{'&'.join([*kept, f'{name}={cursor}'])}"


def check_version(request: Request[Any, Any, Any], version: int) -> None:
    """That `If-Match` names this version, or any: `*`. Raises Refused (428, 412)."""
    given = request.headers.get("if-match")
    if given is None:
        detail = ("header.If-Match", "expected: the ETag of what you read, or *")
        raise Refused(428, "say which version you change", details=[detail])
    named = re.findall(r'(?<!W/)"(\d+)(?:-[^"]*)?"', given, re.ASCII)
    if given.strip() != "*" and str(version) not in named:
        details = [("header.If-Match", f"the version is {version} now")]
        raise Refused(412, "it was changed since you read it", details=details)
