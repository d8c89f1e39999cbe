"""What both HTTP tasks share: the properties of a request, and the call they add up to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import date, time, timedelta
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

import attrs
from attrs import frozen

from core.sdk import Described, Invalid, RunContext, RunnableTask, format_duration, is_storage_uri, prop
from tailrace_http.options import Options, Ssl, Terms

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@frozen
class Part:
    """One part of a multipart body. file_name: "" for a plain field."""

    name: str
    content: bytes | BinaryIO
    file_name: str = ""


@frozen
class Call:
    """A request ready to be sent. parts: when there are any, `body` is None."""

    method: str
    uri: str
    headers: Mapping[str, str]
    terms: Terms
    body: bytes | None = None
    parts: tuple[Part, ...] = ()


class RequestProperties(Described):
    """What is known of one request."""

    uri: str = prop("Where to; spaces become `%20`.", examples=("https://api.example.com/products",))
    method: str = prop("Method of the request.", default="GET")
    body: str | dict[str, Any] | list[Any] | None = prop(
        "Body of the request; a map or a list is sent as JSON.", default=None
    )
    form_data: dict[str, Any] | None = prop(
        "Fields of a form, urlencoded unless the content type is multipart/form-data. In a multipart form a "
        "storage URI, or a map of `name` and `content`, is sent as a file.",
        default=None,
    )
    content_type: str = prop("Content type of the body.", default="application/json")
    headers: dict[str, str] = prop("Headers of the request.", factory=dict)
    options: Options = prop("How to connect, and which answers are a success.", factory=Options)
    ssl_options: Ssl | None = prop("Older form of `options.ssl`.", default=None, deprecated="options.ssl")


class HttpTask(RequestProperties, RunnableTask):
    """Base of the tasks that send one request."""

    allow_failed: bool = prop("Older form of `options.allowFailed`.", default=False, deprecated="options.allowFailed")

    def call(self, ctx: RunContext, opened: ExitStack) -> Call:
        """The request that these properties describe; `opened` keeps stored files open. Raises Invalid, NotFound."""
        if not re.fullmatch(r"[A-Za-z]+", self.method):
            raise Invalid(f"`{self.method}` is not a method of HTTP", where="$.method", expected="GET, POST, PUT, …")
        headers = {name: checked_header(name, value) for name, value in self.headers.items()}
        own_type = next((name for name in headers if name.lower() == "content-type"), "")
        content_type = headers.pop(own_type, self.content_type)
        call = Call(self.method.upper(), checked_uri(self.uri), headers, self._terms(ctx))
        if self.form_data is None:
            body = None if self.body is None else _text(self.body).encode()
            return attrs.evolve(call, body=body, headers={"Content-Type": content_type, **headers})
        if self.body is not None:
            ctx.log.warn("`body` has no effect beside `formData`")
        if content_type.startswith(MULTIPART):
            return attrs.evolve(call, parts=tuple(_parts(self.form_data, ctx, opened)))
        body = urlencode({name: _text(value) for name, value in self.form_data.items()}).encode()
        return attrs.evolve(call, body=body, headers={"Content-Type": URLENCODED, **headers})

    def _terms(self, ctx: RunContext) -> Terms:
        for name in self.options.ineffective():
            ctx.log.warn(f"`options.{name}` has no effect")
        return self.options.terms(allow_failed=self.allow_failed, ssl=self.ssl_options)


def checked_header(name: str, value: str) -> str:
    """The value as it is sent, without spaces and line breaks around it. Raises Invalid."""
    value = value.strip()
    if _HEADER_NAME.fullmatch(name) and not _UNSENDABLE.search(value):
        return value
    raise Invalid(
        "this header can't be sent",
        where=f"$.headers.{name}",
        expected="a name of letters, digits and dashes, and a value without line breaks",
    )


def checked_uri(text: str) -> str:
    """The URI with its spaces as `%20`. Raises Invalid when it is not one of HTTP."""
    uri = text.strip().replace(" ", "%20")
    try:
        parts = urlsplit(uri)
        host = (parts.hostname or "").encode("idna")
        usable = parts.scheme in ("http", "https") and host and b"%" not in host and parts.port != 0
        usable = usable and not _UNSENDABLE.search(uri)
    except ValueError:  # from the port, from brackets, from labels that are empty or too long
        usable = False
    if not usable:
        raise Invalid(
            f"`{text}` is not a URL that can be requested", where="$.uri", expected="https://host/path or http://…"
        )
    return uri


def _text(value: object) -> str:
    """Texts and dates as they are, everything else as JSON."""
    if isinstance(value, str):
        return value
    return _iso(value) if isinstance(value, (date, time)) else json.dumps(value, ensure_ascii=False, default=_iso)


def _iso(value: object) -> str:
    if isinstance(value, (date, time)):
        return value.isoformat()
    return format_duration(value) if isinstance(value, timedelta) else str(value)


def _parts(form: Mapping[str, Any], ctx: RunContext, opened: ExitStack) -> Iterator[Part]:
    def stored(uri: str) -> BinaryIO:
        return opened.enter_context(ctx.storage.open(uri))

    for name, value in form.items():
        if isinstance(value, Mapping) and value.keys() == {"name", "content"}:
            content = value["content"]
            data = stored(content) if is_storage_uri(content) else _text(content).encode()
            yield Part(name, data, file_name=str(value["name"]))
        elif is_storage_uri(value):
            yield Part(name, stored(value), file_name=value.rpartition("/")[2])
        else:
            yield Part(name, _text(value).encode())
