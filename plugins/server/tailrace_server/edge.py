"""What surrounds every request, those that no route knows included: its id, who asks, how often, and how it ended."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from os import getpid
from time import monotonic, monotonic_ns
from typing import Any

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

from core.sdk import TailraceError
from tailrace_server.access import Gate
from tailrace_server.errors import Refused, failure_of
from tailrace_server.metrics import Metrics
from tailrace_server.options import Options
from tailrace_server.plain import json_bytes
from tailrace_server.rate import RateLimit
from tailrace_server.shaping import Shaped

OPEN = ("/api/v1/health", "/api/v1/openapi.json", "/api/v1/docs")
"""What is answered without a key: it holds nothing of any organization."""

STATIC = "/static/"
"""What pages load: the same for everybody."""

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
DEFAULTS = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Authorization"}
"""Unless the answer has its own."""


class Edge:
    """The outermost ASGI application."""

    def __init__(self, inner: ASGIApp, options: Options, gate: Gate, metrics: Metrics) -> None:
        self._inner = inner
        self._note = options.note
        self._gate = gate
        self._metrics = metrics
        self._rate = RateLimit(options.rate, monotonic) if options.rate else None
        begun = sha256(f"{getpid()} {monotonic_ns()} {hash('salted anew in each process')}".encode())
        self._series = begun.hexdigest()[:12]
        self._numbers = count(1)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        begun = monotonic()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        request_id = given if re.fullmatch(r"[\w.-]{1,128}", given, re.ASCII) else self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        shaped = Shaped(scope, headers, self._dressed(request_id, send))
        try:
            await self._admitted(scope, receive, shaped.send, headers)
        except Exception as error:
            self.explain(error, request_id)
            if not shaped.started:
                await self._fail(error, request_id, shaped.send)
            raise
        finally:
            self._metrics.answered(scope, shaped.status, monotonic() - begun)

    def explain(self, error: BaseException, request_id: str) -> None:
        """To the log of the server: what the client is not told."""
        self._note(f"request {request_id} failed:\n{''.join(traceback.format_exception(error)).rstrip()}")

    def _new_id(self) -> str:
        return f"{self._series}-{next(self._numbers):06x}"

    async def _admitted(self, scope: HTTPScope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        try:
            if scope["path"] not in OPEN and not scope["path"].startswith(STATIC):
                await self._admit(scope, headers)
        except TailraceError as error:
            if failure_of(error).explained:
                self.explain(error, scope["state"]["request_id"])
            await self._fail(error, scope["state"]["request_id"], send)
            return
        if scope["method"] == "HEAD":
            scope["method"], scope["state"]["head"] = "GET", True
        await self._inner(scope, receive, send)

    async def _admit(self, scope: HTTPScope, headers: Mapping[str, str]) -> None:
        client = scope.get("client")
        address = client[0] if client else ""
        try:
            caller, services = await asyncio.to_thread(self._gate.admit, headers)
        except Refused:
            if self._rate:
                self._rate.take(address)
            raise
        if self._rate:
            self._rate.take(f"{caller.organization} {caller.actor}")
        scope["state"].update(caller=caller, services=services)

    async def _fail(self, error: BaseException, request_id: str, send: Send) -> None:
        failure = failure_of(error)
        body = json_bytes(failure.body(request_id))
        headers = {"content-type": "application/json", "content-length": str(len(body)), **failure.headers}
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": failure.status, "headers": pairs})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    @staticmethod
    def _dressed(request_id: str, send: Send) -> Send:
        """Adds what every answer has."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                more: dict[str, Any] = {**DEFAULTS, **SECURITY, "X-Request-ID": request_id}
                added = [(name.lower().encode(), value.encode("latin-1")) for name, value in more.items()]
                message["headers"] = [
                    *message["headers"], *(pair for pair in added if pair[0] not in present),
                ]  # fmt: skip
            await send(message)

        return dressed
