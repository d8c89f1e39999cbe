"""Files as answers: streamed, in parts when the client asks for a part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from litestar import Request, Response
from litestar.response import Stream

from tailrace_server.described import Header
from tailrace_server.errors import Refused
from tailrace_server.shaping import matches

CHUNK = 256 * 1024
RANGE = Header("Range", "One range of bytes; several are answered by the whole.", example="bytes=0-1023")
IF_RANGE = Header("If-Range", "The ETag that a range continues; another one is answered by the whole.")
OF_A_PART = (Header("Content-Range", "Which bytes of how many."), Header("Accept-Ranges", "`bytes`."))


def file_answer(
    request: Request[Any, Any, Any],
    file: BinaryIO,
    size: int,
    media: str,
    *,
    tag: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """A file that can seek, or the part of it that the request asks for; it is closed at the end.

    tag: its ETag, with quotes. Raises Refused (416).
    """
    more = {"Accept-Ranges": "bytes", **(headers or {})}
    if tag:
        more["ETag"] = tag
    if tag and matches(request.headers.get("if-none-match", ""), tag):
        file.close()
        return Response(None, status_code=304, headers=more)
    try:
        part = _range(request.headers, size, tag)
    except Refused:
        file.close()
        raise
    begin, end = part or (0, size)
    if part:
        more["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    more["Content-Length"] = str(end - begin)
    status = 206 if part else 200
    if request.scope["state"].get("head"):
        file.close()
        return Response(b"", status_code=status, media_type=media, headers=more)
    return Stream(_chunks(file, begin, end), status_code=status, media_type=media, headers=more)


def _chunks(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(begin)
        left = end - begin
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _range(headers: Mapping[str, str], size: int, tag: str) -> tuple[int, int] | None:
    """The bytes that are asked for, from and up to; None for all."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", "").replace(" ", ""))
    if match is None or match[0] == "bytes=-" or len(match[0]) > 60:
        return None
    if "if-range" in headers and headers["if-range"].strip() != tag:
        return None
    first, last = match[1], match[2]
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if begin >= size or (first and last and int(last) < begin):
        raise Refused(416, "this range is not in the file", headers={"Content-Range": f"bytes */{size}"})
    return begin, end
