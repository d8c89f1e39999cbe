"""Bodies of requests: JSON that becomes the attrs class of the route, with the place of whatever is wrong."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from attrs import fields
from litestar import Request

from tailrace_server.errors import Refused


async def read(request: Request[Any, Any, Any], shape: type[Any]) -> Any:
    """The body of a request as `shape`. Raises Refused (413, 415, 422)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        expected = ("header.Content-Type", "expected: application/json")
        raise Refused(415, f"the body is `{media}`" if media else "the body has no type", details=[expected])
    body = await request.body()
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(422, "the body is not JSON", details=[("$", str(error))]) from error
    return converted(value, shape)


def converted(value: Any, shape: type[Any]) -> Any:
    """A decoded body as `shape`. Raises Refused for what is missing, wrong or unknown."""
    if isinstance(value, dict):
        names = [one.name for one in fields(shape)]
        unknown = [(f"$.{key}", f"is none of {', '.join(names)}") for key in value if key not in names]
        if unknown:
            raise Refused(422, "the body has keys that are not known", details=unknown)
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        details = [(place.removesuffix("`") or "$", _spoken(message))]
        raise Refused(422, "the body is not what it should be", details=details) from error


def _spoken(message: str) -> str:
    """`Expected `int`, got `str`` begins small, as all our messages do."""
    return re.sub(r"^[A-Z]", lambda match: match.group().lower(), message)
