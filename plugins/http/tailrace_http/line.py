"""The connections of one task: through the right proxy, with the right trust, cut when the task is to stop."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from core.sdk import Invalid
from tailrace_http.proxies import ProxyChoice

MOST_REDIRECTS = 50  # as the reference
_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def tls_context(trust_all: bool, environment: Mapping[str, str]) -> ssl.SSLContext:
    """Whose certificates are trusted: SSL_CERT_FILE, else SSL_CERT_DIR, else the usual authorities. Raises Invalid."""
    if trust_all:
        return httpx.create_ssl_context(verify=False, trust_env=False)
    file, directory = (environment.get(name) or environment.get(name.lower()) for name in _TRUST)
    if not file and not directory:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=file or None, capath=None if file else directory)
    except OSError as error:  # ssl.SSLError is one
        raise Invalid(
            f"the certificates in `{file or directory}` can't be read: {error.strerror or error}",
            where="SSL_CERT_FILE" if file else "SSL_CERT_DIR",
            expected="certificates of authorities in PEM form",
        ) from error


class Line(httpx.BaseTransport):
    """Sends each request, and each redirect, the way its URL asks for.

    tls: gives the context for HTTPS; asked for only when it is needed, since reading all authorities takes 60 ms.
    """

    def __init__(self, proxies: ProxyChoice, tls: Callable[[], ssl.SSLContext]) -> None:
        self._proxies = proxies
        self._tls = tls
        self._transports: dict[tuple[str, str | None], httpx.HTTPTransport] = {}
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.aborted = False

    def proxy_for(self, url: httpx.URL) -> str | None:
        """The proxy that a URL is reached through."""
        return self._proxies.proxy_for(url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Part of httpx's contract of transports."""
        way = (request.url.scheme, self.proxy_for(request.url))
        if way not in self._transports:
            self._transports[way] = self._transport(*way)
        request.extensions = {**request.extensions, "trace": self._trace}
        try:
            return self._transports[way].handle_request(request)
        except UnicodeError as error:  # from Python's resolver, for the target of a redirect
            raise httpx.ConnectError("this can't be the name of a host", request=request) from error

    def abort(self) -> None:
        """Cut every connection, from any thread; who waits for an answer gets an error at once."""
        with self._lock:
            self.aborted = True
            for connection in self._sockets:
                _cut(connection)

    def close(self) -> None:
        """Part of httpx's contract of transports."""
        for transport in self._transports.values():
            transport.close()
        with self._lock:
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()

    def _transport(self, scheme: str, proxy: str | None) -> httpx.HTTPTransport:
        secure = scheme == "https" or (proxy or "").startswith("https:")
        tls = self._tls() if secure else httpx.create_ssl_context(verify=False, trust_env=False)  # never used
        through = None if proxy is None else httpx.Proxy(proxy, ssl_context=tls if proxy.startswith("https:") else None)
        return httpx.HTTPTransport(verify=tls, proxy=through, trust_env=False)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if not event.endswith("connect_tcp.complete"):
            return
        # Closing a socket does not wake a thread that reads from it, shutting it down does. A duplicate stays valid
        # when TLS takes the socket over.
        connection = info["return_value"].get_extra_info("socket").dup()
        with self._lock:
            self._sockets.append(connection)
            if self.aborted:
                _cut(connection)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
