"""Why a request came to nothing, in words of the user instead of httpx's."""

from __future__ import annotations

import re
import socket
import ssl

import httpx

from core.sdk import Invalid, TailraceError, TaskFailed, Unreachable, format_duration
from tailrace_http.line import MOST_REDIRECTS, Line
from tailrace_http.options import Timeout
from tailrace_http.task import Call

_COUNTED = re.compile(r"received (\d+) bytes, expected (\d+)")
_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})  # OpenSSL's codes for self-signed ones and missing issuers
_HOW_TO_TRUST = (
    "name the certificate of its authority in the environment variable SSL_CERT_FILE; for tests only, "
    "`options.ssl.insecureTrustAllCertificates: true` takes any"
)


def shown(url: httpx.URL | str) -> str:
    """A URL as it may be shown: without user and password. Text that is no URL is left as it is."""
    try:
        return str(httpx.URL(url).copy_with(userinfo=b""))
    except httpx.InvalidURL:
        return str(url)


def explain(error: httpx.HTTPError | httpx.InvalidURL, call: Call, line: Line) -> TailraceError:
    """The error to show for one of httpx."""
    if isinstance(error, httpx.InvalidURL):
        return Invalid(f"the URL can't be requested: {error}", where=shown(call.uri))
    url = error.request.url
    where = shown(url)
    if isinstance(error, httpx.TimeoutException):
        return _timeout(error, call.terms.timeout, where)
    if isinstance(error, httpx.TooManyRedirects):
        return TaskFailed(
            f"the redirects don't end: {MOST_REDIRECTS} were followed, the last one to {where}", where=shown(call.uri)
        )
    if isinstance(error, httpx.UnsupportedProtocol):
        return TaskFailed(f"a redirect leads to {where}, which is not HTTP", where=shown(call.uri))
    if isinstance(error, httpx.LocalProtocolError):
        return Invalid(f"the request can't be sent: {error}", where=where, hint="check its headers")
    if isinstance(error, httpx.DecodingError):
        return TaskFailed(f"the answer is not packed as its Content-Encoding says: {error}", where=where)
    if isinstance(error, httpx.ProxyError):
        return Unreachable(f"the proxy {shown(line.proxy_for(url) or '')} refused: {error}", where=where)
    if isinstance(error, httpx.ConnectError):
        return _no_connection(error, url, line.proxy_for(url))
    return _broken(error, where)


def _timeout(error: httpx.TimeoutException, timeout: Timeout, where: str) -> Unreachable:
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(
            f"no connection within {format_duration(timeout.connect_timeout)}",
            where=where,
            hint="check the address, or raise `options.timeout.connectTimeout`",
        )
    return Unreachable(
        f"nothing came for {format_duration(timeout.read_idle_timeout)}"
        if isinstance(error, httpx.ReadTimeout)
        else f"nothing could be sent for {format_duration(timeout.read_idle_timeout)}",
        where=where,
        hint="raise `options.timeout.readIdleTimeout` for a slow server",
    )


def _no_connection(error: httpx.ConnectError, url: httpx.URL, proxy: str | None) -> Unreachable:
    cause = _system_error(error)
    target = httpx.URL(proxy) if proxy is not None and not isinstance(cause, ssl.SSLError) else url
    host = f"the proxy {target.host}" if target is not url else target.host
    where = shown(url)
    if isinstance(cause, socket.gaierror):
        return Unreachable(
            f"{host} can't be found: its name has no address",
            where=where,
            hint="check its spelling, and the network of this machine",
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unreachable(
            f"the certificate of {host} is not trusted: {cause.verify_message.rstrip('.')}",
            where=where,
            hint=_HOW_TO_TRUST if cause.verify_code in _UNKNOWN_AUTHORITY else "",
        )
    if isinstance(cause, ssl.SSLError):
        reason = (cause.reason or str(cause)).replace("_", " ").lower()
        return Unreachable(f"{host} does not speak TLS as expected: {reason}", where=where)
    port = target.port or {"http": 80, "https": 443}.get(target.scheme, 1080)
    if isinstance(cause, ConnectionRefusedError):
        return Unreachable(
            f"{host} refused the connection", where=where, hint=f"check that a server listens on port {port}"
        )
    reason = str(error) if cause is None else cause.strerror or str(cause)
    return Unreachable(f"no connection to {host}, port {port}: {reason}", where=where)


def _broken(error: httpx.HTTPError, where: str) -> TailraceError:
    if "complete message body" in str(error):
        counted = _COUNTED.search(str(error))
        place = f"after {counted[1]} of {counted[2]} bytes" if counted else "before its end"
        return TaskFailed(f"the answer broke off {place}", where=where)
    if "without sending a response" in str(error):
        return Unreachable("the server closed the connection without an answer", where=where)
    if isinstance(error, httpx.RemoteProtocolError):
        return TaskFailed(f"the answer breaks the rules of HTTP: {error}", where=where)
    cause = _system_error(error)
    reason = (cause.strerror if cause is not None else None) or str(error) or "no reason given"
    return Unreachable(f"the connection broke off: {reason}", where=where)


def _system_error(error: BaseException | None) -> OSError | None:
    """The operating system's error behind one of httpx."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error
