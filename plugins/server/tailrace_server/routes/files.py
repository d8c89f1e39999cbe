"""`/files`: stored files, by their URIs."""

from __future__ import annotations

import asyncio
from contextlib import closing
from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from litestar import Request, Response

from core.host.services import Services
from core.sdk import Invalid, is_storage_uri
from tailrace_server.access import Caller
from tailrace_server.answers import json_answer
from tailrace_server.asked import Asked, Parameter
from tailrace_server.described import Gives, room, route
from tailrace_server.options import Options
from tailrace_server.ranges import IF_RANGE, OF_A_PART, RANGE, file_answer
from tailrace_server.receiving import Writing, own_folder, pieces
from tailrace_server.schemas.files import Preview, StoredFile, preview_object

ANY = "application/octet-stream"
URI = Parameter(
    "uri", "The URI of the file: `storage:///…`, or `kestra:///…`, which is the same.", required=True,
    pattern=r"^(storage|kestra):///[^\u0000]*$", example="storage:///company/team/products/products.csv",
)  # fmt: skip
ROWS = Parameter("rows", "How many rows are shown at most.", "whole", least=1, most=1000, default=20)
NAMESPACE = Parameter("namespace", "The namespace it belongs to.", required=True, example="company.team")
NAME = Parameter("name", "Its path among the files of the namespace.", required=True, example="data/customers.csv")
MEDIA = {".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson", ".ion": "application/x-ndjson",
         ".parquet": "application/vnd.apache.parquet", ".md": "text/markdown", ".yaml": "application/yaml",
         ".yml": "application/yaml"}  # fmt: skip


@route(
    "GET", "/files",
    Gives(None, "The file.", media=("*/*",)),
    Gives(None, "The part that was asked for.", status=206, media=("*/*",), headers=OF_A_PART),
    asks=(URI,), headers=(RANGE, IF_RANGE), refuses=(403, 404, 416),
)  # fmt: skip
def get_file(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Response[Any]:
    """Download a stored file, or a part of it.

    A browser saves it and shows nothing of it: what a flow made is not to run in a page of this server.
    """
    uri = _uri(asked)
    stat = services.files.stat(uri)
    tag = f'"{stat.sha256[:32]}"' if stat.sha256 else ""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(PurePosixPath(uri).name)}"}
    return file_answer(request, services.files.open(uri), stat.size, media_type(uri), tag=tag, headers=headers)


@route("GET", "/files/preview", Gives(Preview, "Its beginning."), asks=(URI, ROWS), refuses=(403, 404))
def preview_file(services: Services, asked: Asked) -> Response[Any]:
    """The beginning of a stored file: first rows of CSV, JSON Lines and Parquet, JSON, or text."""
    uri = _uri(asked)
    found = services.files.preview(uri, asked["rows"])
    return json_answer(preview_object(found, media_type(uri), f"/api/v1/files?uri={quote(uri, safe='')}"))


@route(
    "PUT", "/files", Gives(StoredFile, "It is stored."),
    role="editor", asks=(NAMESPACE, NAME), takes=bytes, media=ANY, refuses=(403, 408),
)  # fmt: skip
async def put_file(
    request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked
) -> Response[Any]:
    """Store a file of a namespace; one that is there is replaced.

    Its URI is what a FILE input takes, and flows read it as a file of their namespace.
    """
    namespace, name = asked["namespace"], asked["name"]
    if "/" in namespace:  # its files would lie where those of another namespace lie
        raise Invalid("this is not the name of a namespace", where="query.namespace", expected="words joined by `.`")
    options: Options = request.app.state.options
    async with own_folder() as folder:
        with closing(Writing(folder / "body")) as file:
            async for piece in pieces(request, options.max_upload):
                await file.write(piece)
            await file.end()
        async with room(request, caller):
            stored = await asyncio.to_thread(services.files.put, file.path, namespace, name)
    await asyncio.to_thread(
        services.changes.note, caller.actor, "file.put", stored.uri, None, {"size": stored.size}
    )
    return json_answer({"uri": stored.uri, "size": stored.size, "sha256": stored.sha256})


def media_type(uri: str) -> str:
    """What kind of file it is, by its name."""
    suffix = PurePosixPath(uri).suffix.lower()
    return MEDIA.get(suffix) or guess_type(uri)[0] or ANY


def _uri(asked: Asked) -> str:
    uri = asked["uri"]
    if not is_storage_uri(uri):
        raise Invalid("this is not the URI of a stored file", where="query.uri", expected="storage:///…")
    return str(uri)


ROUTES = (get_file, preview_file, put_file)
