"""Ways to a server: TLS and proxies, for real."""

from __future__ import annotations

from typing import Any

import pytest

from core.testing.http_server import HttpServer
from core.testing.plain_context import PlainContext
from tailrace_http.request import Request


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "ssl_cert_file"])
def test_the_environment_names_who_is_trusted(run: Any, ctx: PlainContext, authority: Any, name: str) -> None:
    ctx.environment = {name: str(authority.pem)}
    with HttpServer({"/": "safe"}, tls=authority.server) as server:
        assert run(Request, {"uri": server.url})["body"] == "safe"


@pytest.mark.parametrize("place", ["options.ssl", "sslOptions"])
def test_every_certificate_can_be_trusted(run: Any, authority: Any, place: str) -> None:
    trust = {"insecureTrustAllCertificates": True}
    written = {"sslOptions": trust} if place == "sslOptions" else {"options": {"ssl": trust}}
    with HttpServer({"/": "any"}, tls=authority.server) as server:
        assert run(Request, {"uri": server.url, **written})["body"] == "any"


def test_http_goes_through_the_proxy_of_the_environment(run: Any, ctx: PlainContext) -> None:
    with HttpServer({"http://api.test/x": "from the proxy"}) as proxy:
        ctx.environment = {"HTTP_PROXY": proxy.url.replace("http://", "http://user:pass@")}
        assert run(Request, {"uri": "http://api.test/x"})["body"] == "from the proxy"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


def test_no_proxy_is_respected(run: Any, ctx: PlainContext) -> None:
    with HttpServer({}) as proxy, HttpServer({"/": "direct"}) as server:
        ctx.environment = {"http_proxy": proxy.url, "no_proxy": "127.0.0.1"}
        assert run(Request, {"uri": server.url})["body"] == "direct"
    assert proxy.requests == []


def test_https_goes_through_a_tunnel(run: Any, ctx: PlainContext, authority: Any, relay: Any) -> None:
    ctx.environment = {"SSL_CERT_FILE": str(authority.pem)}
    proxy = {"type": "HTTP", "address": "127.0.0.1", "port": relay.port, "username": "user", "password": "pass"}
    with HttpServer({"/": "tunnelled"}, tls=authority.server) as server:
        uri = f"https://api.test:{server.port}"
        assert run(Request, {"uri": uri, "options": {"proxy": proxy}})["body"] == "tunnelled"
    assert relay.asked == [f"CONNECT api.test:{server.port}"]
    assert relay.authorizations == ["Proxy-Authorization: Basic dXNlcjpwYXNz"]


def test_a_socks_proxy(run: Any, ctx: PlainContext, authority: Any, relay: Any) -> None:
    ctx.environment = {"SSL_CERT_FILE": str(authority.pem)}
    older = {"proxyType": "SOCKS", "proxyAddress": "127.0.0.1", "proxyPort": relay.port}
    with HttpServer({"/": "socks"}, tls=authority.server) as server:
        assert run(Request, {"uri": f"https://api.test:{server.port}", "options": older})["body"] == "socks"
    assert relay.asked == [f"SOCKS api.test:{server.port}"]
