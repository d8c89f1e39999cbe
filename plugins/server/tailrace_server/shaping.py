"""Answers as the client wants them: not again what it has (`If-None-Match`), compressed, without a body for HEAD."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol

import zstandard
from litestar.types import HTTPScope, Message, Send

SMALL = 1024
"""Bytes that are not worth compressing."""
LARGE = 64 * 1024
"""Bytes whose compression would hold up others."""
TEXTS = (
    "application/json", "application/x-ndjson", "application/yaml", "image/svg+xml", "text/css", "text/csv",
    "text/html", "text/javascript", "text/plain",
)  # fmt: skip
WHOLE = {b"content-encoding", b"accept-ranges"}
"""What an answer has that is packed already, or of which parts can be asked for."""
OURS = (b"etag", b"content-length")
NOT_OF_304 = (b"content-length", b"content-type", b"content-encoding")


class Packer(Protocol):
    """A running compression."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Shaped:
    """Takes the messages of one answer and sends them on. status: of the answer, 500 until there is one."""

    def __init__(self, scope: HTTPScope, headers: Mapping[str, str], send: Send) -> None:
        self._send = send
        self._head = scope["method"] == "HEAD"
        self._reads = scope["method"] in ("GET", "HEAD")
        self._headers = headers
        self._start: dict[str, Any] | None = None
        self._packer: Packer | None = None
        self._dropped = False
        self.started = False
        self.status = 500

    async def send(self, message: Message) -> None:
        """What an application calls."""
        if message["type"] == "http.response.start":
            self._start = dict(message)
            self.status = message["status"]
            return
        if message["type"] != "http.response.body":
            await self._send(message)
        elif not self.started:
            self.started = True
            await self._begin(message.get("body", b""), message.get("more_body", False))
        elif not self._dropped:
            await self._go_on(message.get("body", b""), message.get("more_body", False))

    async def _begin(self, body: bytes, more: bool) -> None:
        start = self._start or {}
        headers = {bytes(name).lower(): bytes(value) for name, value in start["headers"]}
        start["headers"] = _without(start["headers"], OURS)
        encoding = self._encoding(headers, len(body), more)
        tag = headers.get(b"etag", b"").decode("latin-1")
        if not tag and not more and self._reads and start["status"] == 200 and not (self._head and not body):
            tag = f'"{sha256(body).hexdigest()[:32]}"'
        if tag:
            tag = f'{tag[:-1]}-{encoding}"' if encoding else tag
            start["headers"].append((b"etag", tag.encode("latin-1")))
        if self._reads and start["status"] == 200 and tag and matches(self._headers.get("if-none-match", ""), tag):
            await self._not_modified(start)
            return
        if encoding:
            self._packer = _packer(encoding)
            start["headers"].append((b"content-encoding", encoding.encode()))
            body = await self._packed(body, more)
        length = headers.get(b"content-length")
        if not more and start["status"] not in (204, 304) and not (self._head and not body):
            length = str(len(body)).encode()
        elif length == b"0":
            length = None
        if length is not None and not (more and encoding):
            start["headers"].append((b"content-length", length))
        await self._send(start)  # type: ignore[arg-type]
        await self._body(body, more)

    async def _not_modified(self, start: dict[str, Any]) -> None:
        self._dropped = True
        self.status = start["status"] = 304
        start["headers"] = _without(start["headers"], NOT_OF_304)
        await self._send(start)  # type: ignore[arg-type]
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _go_on(self, body: bytes, more: bool) -> None:
        packed = await self._packed(body, more)
        if packed or not more:
            await self._body(packed, more)

    async def _body(self, body: bytes, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": b"" if self._head else body, "more_body": more})

    async def _packed(self, body: bytes, more: bool) -> bytes:
        packer = self._packer
        if packer is None:
            return body

        def pack() -> bytes:
            return packer.compress(body) + (b"" if more else packer.flush())

        return await asyncio.to_thread(pack) if len(body) > LARGE else pack()

    def _encoding(self, headers: Mapping[bytes, bytes], size: int, more: bool) -> str:
        """How the body is compressed, "" when it is not."""
        media = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]
        if headers.keys() & WHOLE or media not in TEXTS or self.status in (204, 304) or (size <= SMALL and not more):
            return ""
        wanted = _accepted(self._headers.get("accept-encoding", ""))
        return next((name for name in ("zstd", "gzip") if name in wanted), "")


def matches(given: str, tag: str) -> bool:
    """Whether `If-None-Match` names an ETag; a weak one of the same value counts."""
    return given.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in given.split(","))


def _without(headers: Iterable[Any], names: Sequence[bytes]) -> list[Any]:
    return [pair for pair in headers if bytes(pair[0]).lower() not in names]


def _accepted(header: str) -> set[str]:
    names = set()
    for part in header.lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        if not any(option.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for option in options):
            names.add(name)
    return names


def _packer(encoding: str) -> Packer:
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=3).compressobj()
    return zlib.compressobj(6, zlib.DEFLATED, 31)  # 31: with the header of gzip
