"""One request and its answer, on httpx; nothing of httpx is seen outside of this module, `line` and `failures`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import BinaryIO, Literal, cast

import httpx

from core.sdk import Interrupted, RunContext, TaskFailed, TooLarge
from tailrace_http.failures import explain, shown
from tailrace_http.line import MOST_REDIRECTS, Line, tls_context
from tailrace_http.options import Auth, is_charset
from tailrace_http.proxies import choose_proxies
from tailrace_http.task import Call

_HIDDEN = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Incoming:
    """An answer whose head is there and whose body is on its way.

    code, reason, headers (names as sent), uri (the last one after redirects). size: bytes of the body so far.
    milliseconds: from the request to the end of the answer, known once it was read.
    """

    def __init__(self, response: httpx.Response, call: Call, line: Line) -> None:
        self._response = response
        self._call = call
        self._line = line
        self._pieces = self._checked_pieces()
        self._first: bytes | None = None
        self.size = 0
        self.code = response.status_code
        self.reason = response.reason_phrase
        self.uri = shown(response.url)
        self.disposition: str = response.headers.get("Content-Disposition", "")
        self.headers = _grouped(response.headers)

    @property
    def milliseconds(self) -> int:
        hops = (*self._response.history, self._response)
        return round(sum(hop.elapsed.total_seconds() for hop in hops) * 1000)

    def is_empty(self) -> bool:
        """Whether the body has no byte; waits for the first one."""
        if self._first is None:
            self._first = next(self._pieces, b"")
        return not self._first

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self._pieces)

    def stream(self) -> BinaryIO:
        """The body as a file to be read once, in constant memory."""
        return cast(BinaryIO, _Stream(self._remaining()))

    def beginning(self) -> str:
        """The first characters of the body, for a message."""
        return next(self._pieces, b"")[:1000].decode(errors="replace")

    def decode(self, content: bytes, errors: Literal["strict", "replace"] = "strict") -> str:
        """The body as text, by the answer's charset, else, as for one that is not known, by that of the options.

        errors: whether what is no text in it raises TaskFailed or becomes U+FFFD.
        """
        charset = self._response.charset_encoding
        if charset is None or not is_charset(charset):
            charset = self._call.terms.charset
        try:
            return content.decode(charset, errors)
        except UnicodeError as error:
            raise TaskFailed(
                f"the answer is not text in {charset}",
                where=self.uri,
                hint="`http.Download` stores an answer of any kind as a file; for text in another charset set "
                "`options.defaultCharset`",
            ) from error

    def _remaining(self) -> Iterator[bytes]:
        if self._first:
            yield self._first
        yield from self._pieces

    def _checked_pieces(self) -> Iterator[bytes]:
        most = self._call.terms.max_length
        for piece in self._response.iter_bytes():
            self.size += len(piece)
            if most is not None and self.size > most:
                raise TooLarge(
                    f"the answer has more than {most} bytes", where=self.uri, hint="raise `options.maxContentLength`"
                )
            if piece:
                yield piece
        # An answer of unknown length that was cut looks like one that ended.
        if self._line.aborted:
            raise _interrupted(self.uri)


class _Stream(io.RawIOBase):
    """Pieces as a file. `read` gives a piece as it came, whatever size is asked for: joining them would cost a copy."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return b"".join(self._pieces) if size < 0 else next(self._pieces, b"")


@contextmanager
def exchange(ctx: RunContext, call: Call, defaults: Mapping[str, str] | None = None) -> Iterator[Incoming]:
    """Send a request, follow redirects, and hand over the answer while its body is still on its way.

    defaults: headers for a call that does not set them. Raises Unreachable, TaskFailed, Invalid, TooLarge, and
    Interrupted when the task is stopped meanwhile.
    """
    proxies = choose_proxies(call.terms.proxy, ctx.environment)
    line = Line(proxies, partial(tls_context, call.terms.trust_all, ctx.environment))
    try:
        with ctx.on_stop(line.abort), _client(ctx, call, line, defaults or {}) as client:
            if ctx.stop_requested:
                raise _interrupted(call.uri)
            response = client.send(_request(client, call), stream=True, auth=_auth(call.terms.auth))
            try:
                answer = Incoming(response, call, line)
                yield answer
            finally:
                response.close()
            tags = {"request.method": call.method, "response.code": str(answer.code)}
            ctx.metric("response.length", answer.size, tags=tags)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if line.aborted:
            raise _interrupted(call.uri) from error
        raise explain(error, call, line) from error


def refusal(call: Call, answer: Incoming, text: str) -> dict[str, str]:
    """What TaskFailed says of a status that is no success."""
    codes = call.terms.allowed_codes
    listed = f"one of the status codes {', '.join(map(str, codes))}"
    status = f"{answer.code} {answer.reason}".strip()
    return {
        "what": f"{call.method} answered {status}" + (f": {text[:200]}" if text.strip() else ""),
        "where": answer.uri,
        "expected": listed if codes else "a status code below 400",
        "hint": "add it to `options.allowedResponseCodes`, if it is a success here"
        if codes
        else "`options.allowFailed: true` takes such an answer as a success",
    }


def _client(ctx: RunContext, call: Call, line: Line, defaults: Mapping[str, str]) -> httpx.Client:
    terms, limits = call.terms, call.terms.timeout

    def log_request(request: httpx.Request) -> None:
        if "REQUEST_HEADERS" in terms.logs:
            ctx.log.info(f"request: {request.method} {shown(request.url)}{_lines(request.headers)}")

    def log_response(response: httpx.Response) -> None:
        if "RESPONSE_HEADERS" in terms.logs:
            ctx.log.info(f"response: {response.status_code} {response.reason_phrase}{_lines(response.headers)}")

    if "REQUEST_BODY" in terms.logs:
        ctx.log.info(f"request body: {_shown_body(call)}")
    return httpx.Client(
        transport=line,
        trust_env=False,
        headers={"User-Agent": ctx.user_agent, **defaults},
        timeout=httpx.Timeout(_seconds(limits.read_idle_timeout), connect=_seconds(limits.connect_timeout)),
        follow_redirects=terms.follow_redirects,
        max_redirects=MOST_REDIRECTS,
        event_hooks={"request": [log_request], "response": [log_response]},
    )


def _seconds(limit: timedelta) -> float | None:
    """For httpx; zero means no limit, as in the reference."""
    return limit.total_seconds() if limit > timedelta() else None


def _request(client: httpx.Client, call: Call) -> httpx.Request:
    # Bytes, since httpx refuses text beyond ASCII.
    headers = [(name.encode(), value.encode()) for name, value in call.headers.items()]
    auth = call.terms.auth
    if auth is not None and auth.type_ == "BEARER":
        headers.append((b"Authorization", f"Bearer {auth.token}".encode()))
    parts = [(part.name, (part.file_name or None, part.content)) for part in call.parts]
    return client.build_request(call.method, call.uri, headers=headers, content=call.body, files=parts or None)


def _auth(auth: Auth | None) -> httpx.Auth | None:
    if auth is None or auth.type_ == "BEARER":
        return None
    kind = httpx.BasicAuth if auth.type_ == "BASIC" else httpx.DigestAuth
    return kind(auth.username or "", auth.password or "")


def _grouped(headers: httpx.Headers) -> dict[str, list[str]]:
    """Every header with all of its values, under the first spelling of its name."""
    encoding = headers.encoding  # httpx looks at all of them to tell
    spelling: dict[str, str] = {}
    grouped: dict[str, list[str]] = {}
    for raw_name, raw_value in headers.raw:
        name = raw_name.decode(encoding)
        grouped.setdefault(spelling.setdefault(name.lower(), name), []).append(raw_value.decode(encoding))
    return grouped


def _lines(headers: httpx.Headers) -> str:
    return "".join(
        f"\n  {name}: {'••••' if name.lower() in _HIDDEN else value}"
        for name, values in _grouped(headers).items()
        for value in values
    )


def _shown_body(call: Call) -> str:
    if call.parts:
        return f"a form of {', '.join(part.name for part in call.parts)}"
    return (call.body or b"").decode(errors="replace")


def _interrupted(uri: str) -> Interrupted:
    return Interrupted("the request was stopped", where=shown(uri))
