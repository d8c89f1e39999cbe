"""`GET /openapi.json` and `GET /docs`: what this API is, for programs and for people."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Response, get

from tailrace_server.answers import json_answer
from tailrace_server.document import Json, document, security
from tailrace_server.reference_page import page


@get("/openapi.json", sync_to_thread=True)
def openapi(request: Request[Any, Any, Any]) -> Response[Any]:
    """The OpenAPI document."""
    return json_answer(_document(request.app))


@get("/docs", sync_to_thread=True)
def docs(request: Request[Any, Any, Any]) -> Response[Any]:
    """The same as a page that needs nothing from elsewhere."""
    return Response(page(_document(request.app)).encode(), media_type="text/html")


def _document(app: Litestar) -> Json:
    """Made once, when somebody asks for it: the routes of a server do not change, only whether it asks for a key."""
    if "document" not in app.state:
        app.state.document = document(app)
    told: Json = app.state.document
    return {**told, "security": security(app)}


ROUTES = (openapi, docs)
