"""`/`, and the files that pages load."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from litestar import Request, Response, get

from tailrace_server.errors import Refused
from tailrace_server.pages.looks import static_files, static_version
from tailrace_server.pages.paged import Go, page

MEDIA = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"
CHECK = "public, no-cache"


@page("/")
def home() -> Go:
    """Where people begin."""
    return Go("/executions")


@get("/static/{version:str}/{name:str}", sync_to_thread=False, include_in_schema=False)
def static(request: Request[Any, Any, Any]) -> Response[Any]:
    """A file of the pages; one of another version is given too, but not kept."""
    version, name = request.path_params["version"], request.path_params["name"]
    body = static_files().get(name)
    if body is None:
        raise Refused(404, "there is nothing at this path")
    headers = {"Cache-Control": FOREVER if version == static_version() else CHECK, "Vary": "Accept-Encoding"}
    return Response(body, media_type=MEDIA[PurePosixPath(name).suffix], headers=headers)


PAGES = (home, static)
