"""`GET /openapi.json` and `GET /docs`: what this API is, for programs and for people."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from tailrace_server.answers import json_answer
from tailrace_server.document import document
from tailrace_server.page import page


@get("/openapi.json", sync_to_thread=True)
def openapi(request: Request[Any, Any, Any]) -> Response[Any]:
    """The OpenAPI document."""
    return json_answer(document(request.app))


@get("/docs", sync_to_thread=True)
def docs(request: Request[Any, Any, Any]) -> Response[Any]:
    """The same as a page that needs nothing from elsewhere."""
    return Response(page(document(request.app)).encode(), media_type="text/html")


ROUTES = (openapi, docs)
