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
from tailrace_server.access import CSRF_HEADER, Caller, Gate, check_csrf, check_own_site
from tailrace_server.errors import Refused, failure_of
from tailrace_server.media import JSON
from tailrace_server.metrics import Metrics
from tailrace_server.options import Options
from tailrace_server.pages.looks import Looks
from tailrace_server.pages.wrong import API, SIGN_IN, Answer, is_for_people, wrong_page
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
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
DEFAULTS = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Authorization, Cookie"}
"""Unless the answer has its own."""
RUN = ("script", "style", "worker", "sharedworker", "serviceworker", "object", "embed", "manifest", "xslt")
"""What a browser says it loads something for, when that something could act on the page."""
SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
ATTEMPTS, ATTEMPT_SECONDS = 10, 6
"""To sign in: so many at once from one address, then one in so many seconds."""


class Edge:
    """The outermost ASGI application."""

    def __init__(self, inner: ASGIApp, options: Options, gate: Gate, metrics: Metrics, looks: Looks) -> None:
        self._inner = inner
        self._options = options
        self._note = options.note
        self._looks = looks
        self._gate = gate
        self._metrics = metrics
        self._rate = RateLimit(options.rate, monotonic) if options.rate else None
        told = "too many attempts to sign in; wait for a moment"
        self._attempts = RateLimit(1 / ATTEMPT_SECONDS, monotonic, most=ATTEMPTS, told=told)
        begun = sha256(f"{getpid()} {monotonic_ns()} {hash('salted anew in each process')}".encode())
        self._series = begun.hexdigest()[:12]
        self._numbers = count(1)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        begun = monotonic()
        # The router knows `//api/` and `/sign-in/` too: what is checked by its path is to be known by them as well.
        scope["path"] = f"/{'/'.join(filter(None, scope['path'].split('/')))}"
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
                await self._fail(error, scope, headers, shaped.send)
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
            await self._fail(error, scope, headers, send)
            return
        if scope["method"] == "HEAD":
            scope["method"], scope["state"]["head"] = "GET", True
        await self._inner(scope, receive, send)

    async def _admit(self, scope: HTTPScope, headers: Mapping[str, str]) -> None:
        if headers.get("sec-fetch-dest") in RUN:  # our policy trusts this server, which gives files of flows as well
            raise Refused(403, "only the files of the pages can be loaded into a page")
        address = self._address(scope, headers)
        signs_in = scope["path"] == SIGN_IN
        if signs_in and scope["method"] not in SAFE:
            check_own_site(headers)  # first: a page of somebody else is not to use up the attempts of its reader
            self._attempts.take(address)
        try:
            caller, services = await asyncio.to_thread(self._gate.admit, headers)
        except Refused as refused:
            if self._rate:
                self._rate.take(address)
            if signs_in and refused.status == 401:
                return
            raise
        if self._rate:
            self._rate.take(f"{caller.organization} {caller.actor}")
        scope["state"].update(caller=caller, services=services)
        _check_change(scope, headers, caller)

    def _address(self, scope: HTTPScope, headers: Mapping[str, str]) -> str:
        """Where a request comes from."""
        client = scope.get("client")
        forwarded = headers.get("x-forwarded-for", "") if self._options.behind_proxy else ""
        return forwarded.rpartition(",")[2].strip() or (client[0] if client else "")

    async def _fail(self, error: BaseException, scope: HTTPScope, headers: Mapping[str, str], send: Send) -> None:
        answer = self.failed(error, scope, headers)
        given = {"content-length": str(len(answer.body)), **answer.headers}
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    def failed(self, error: BaseException, scope: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """The answer to a request that failed: a page for people, else the one shape of errors."""
        failure = failure_of(error)
        if is_for_people(scope["path"], headers):
            return wrong_page(self._looks, scope, headers, failure)
        body = json_bytes(failure.body(scope["state"]["request_id"]))
        return Answer(failure.status, {"content-type": JSON, **failure.headers}, body)

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


def _check_change(scope: HTTPScope, headers: Mapping[str, str], caller: Caller) -> None:
    """A change through the API by a browser's session comes from a page of ours. Raises Refused."""
    if caller.signed_in and scope["path"].startswith(API) and scope["method"] not in SAFE:
        told = "a change by the session of a browser needs its token, in the header X-CSRF-Token"
        check_csrf(caller, headers.get(CSRF_HEADER), told)
