"""`/values`: one value by itself, and what of it only a frame, an <img> or a download may hold."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from litestar import Response

from core.host.services import Services
from core.sdk import Invalid, NotFound, TooLarge, is_storage_uri
from tailrace_server.asked import Asked, Parameter
from tailrace_server.ids import known_id
from tailrace_server.pages.paged import Shown, page
from tailrace_server.plain import json_bytes
from tailrace_server.showing.links import FILE_PAGE, VALUE_ASKS, file_page, step
from tailrace_server.showing.texts import HIGHEST, picture_type
from tailrace_server.showing.trees import part_of
from tailrace_server.showing.values import LARGEST, shown_output, shown_value

NAME = Parameter("name", "The value of this name in the output; the whole output without it.")
AT = Parameter("at", "Which part of the value, as a JSON Pointer.")
URI = Parameter("uri", "The URI of a stored file.", required=True)
FRAME: Final = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}
"""What a flow made as a page: no script, nothing from elsewhere, and only inside of a page of ours."""
PICTURE: Final = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}
SVG: Final = "image/svg+xml"


@page("/values/{output_id:str}", asks=(NAME, *VALUE_ASKS), slow=True)
def one_value(services: Services, asked: Asked, output_id: str) -> Shown:
    """A value of a task output."""
    view = services.outputs.get(known_id(output_id, "task output"))
    shown = shown_output(services, view, asked["name"] or "", query=asked)
    return Shown("value_page.html", {"view": view, "name": asked["name"] or "", "shown": shown})


@page("/values/{output_id:str}/frame", asks=(NAME, AT), slow=True)
def value_frame(services: Services, asked: Asked, output_id: str) -> Response[Any]:
    """A text as a page, for a frame."""
    value = _value(services, output_id, asked)
    if not isinstance(value, str):
        raise Invalid("only a text can be shown as a page")
    return _frame(value.encode("utf-8", "replace"))


@page("/values/{output_id:str}/image", asks=(NAME, AT), slow=True)
def value_image(services: Services, asked: Asked, output_id: str) -> Response[Any]:
    """Bytes as a picture, for an <img>."""
    value = _value(services, output_id, asked)
    if not isinstance(value, bytes):
        raise Invalid("only bytes can be shown as a picture")
    return _picture(value, "")


@page("/values/{output_id:str}/download", asks=(NAME, AT), slow=True)
def value_download(services: Services, asked: Asked, output_id: str) -> Response[Any]:
    """The value as a file: a text and bytes as they are, anything else as JSON."""
    value = _value(services, output_id, asked)
    name = PurePosixPath((asked["at"] or "").replace("\\", "/")).name or asked["name"] or "output"
    if isinstance(value, bytes):
        return _saved(value, f"{name}.bin", "application/octet-stream")
    if isinstance(value, str):
        return _saved(value.encode("utf-8", "replace"), f"{name}.txt", "text/plain")
    return _saved(json_bytes(value), f"{name}.json", "application/json")


@page(FILE_PAGE, asks=(URI, *VALUE_ASKS), slow=True)
def one_file(services: Services, asked: Asked) -> Shown:
    """A stored file."""
    uri = _uri(asked)
    shown = shown_value(services, uri, address=file_page(uri), query=asked)
    return Shown("value_page.html", {"view": None, "name": uri, "shown": shown})


@page(f"{FILE_PAGE}/frame", asks=(URI,))
def file_frame(services: Services, asked: Asked) -> Response[Any]:
    """A stored file as a page, for a frame."""
    return _frame(_body(services, _uri(asked)))


@page(f"{FILE_PAGE}/image", asks=(URI,))
def file_image(services: Services, asked: Asked) -> Response[Any]:
    """A stored file as a picture, for an <img>."""
    uri = _uri(asked)
    return _picture(_body(services, uri), PurePosixPath(uri).suffix.lower())


def _value(services: Services, output_id: str, asked: Asked) -> Any:
    view = services.outputs.get(known_id(output_id, "task output"))
    if view.output_size is None:
        raise NotFound("this task execution gave no output")
    if view.output_size > LARGEST:
        raise TooLarge("this output is too large to be shown")
    at = (step("", asked["name"]) if asked["name"] else "") + (asked["at"] or "")
    found, left = part_of(services.outputs.value(view.id), at)
    if left:
        raise NotFound(f"there is no `{at}` in this value", where="query.at")
    return found


def _uri(asked: Asked) -> str:
    uri = asked["uri"]
    if not is_storage_uri(uri):
        raise Invalid("this is not the URI of a stored file", where="query.uri", expected="storage:///…")
    return str(uri)


def _body(services: Services, uri: str) -> bytes:
    if services.files.stat(uri).size > HIGHEST:
        raise TooLarge("this file is too large to be shown", expected=f"at most {HIGHEST} bytes")
    with services.files.open(uri) as file:
        return file.read()


def _frame(body: bytes) -> Response[Any]:
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode("cp1252", "replace").encode()
    return Response(body, media_type="text/html", headers=FRAME)


def _picture(body: bytes, suffix: str) -> Response[Any]:
    media = SVG if suffix == ".svg" else picture_type(body)
    if not media:
        raise Invalid("this is no picture", expected="PNG, JPEG, GIF, WebP or SVG")
    return Response(body, media_type=media, headers=PICTURE)


def _saved(body: bytes, name: str, media: str) -> Response[Any]:
    disposition = f"attachment; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"
    return Response(body, media_type=media, headers={"Content-Disposition": disposition, **PICTURE})


PAGES = (one_value, value_frame, value_image, value_download, one_file, file_frame, file_image)
