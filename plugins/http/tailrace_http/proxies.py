"""Which proxy a URL goes through: the task's own, else the environment's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import quote, urlsplit

from attrs import frozen

from core.sdk import Invalid
from tailrace_http.options import Proxy

_SCHEMES = ("http", "https", "socks5", "socks5h")


@frozen
class ProxyChoice:
    """by_scheme: URL of the proxy for `http` and `https`. bypass: entries of NO_PROXY."""

    by_scheme: Mapping[str, str]
    bypass: tuple[str, ...] = ()

    def proxy_for(self, scheme: str, host: str, port: int | None) -> str | None:
        """URL of the proxy for a request, or None to go directly."""
        if any(_matches(entry, host.lower(), port) for entry in self.bypass):
            return None
        return self.by_scheme.get(scheme)


def choose_proxies(written: Proxy | None, environment: Mapping[str, str]) -> ProxyChoice:
    """The proxies of a task: what its options say, else HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

    Lower-case names come first, as in curl. Raises Invalid for options that contradict each other.
    """
    if written is not None:
        url = _url_of(written)
        return ProxyChoice({} if url is None else {"http": url, "https": url})
    fallback = _read(environment, "all_proxy")
    found = {scheme: _read(environment, f"{scheme}_proxy") or fallback for scheme in ("http", "https")}
    return ProxyChoice(
        {scheme: _checked(url, f"{scheme.upper()}_PROXY") for scheme, url in found.items() if url},
        tuple(entry.strip().lower() for entry in _read(environment, "no_proxy").split(",") if entry.strip()),
    )


def _checked(url: str, variable: str) -> str:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise Invalid(f"`{url}` is not the URL of a proxy", where=variable, expected="http://proxy.example.com:3128")
    return parts.geturl()


def _read(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _url_of(proxy: Proxy) -> str | None:
    if proxy.type_ == "DIRECT":
        if proxy.address is not None:
            raise Invalid(
                f"the proxy {proxy.address} has the type DIRECT, which means no proxy",
                where="$.options.proxy.type",
                expected="HTTP or SOCKS",
            )
        return None
    if proxy.address is None or proxy.port is None:
        raise Invalid(
            f"a proxy of type {proxy.type_} needs an address and a port",
            where="$.options.proxy",
            expected=f"{{type: {proxy.type_}, address: proxy.example.com, port: 3128}}",
        )
    user = ""
    if proxy.username is not None:
        user = f"{quote(proxy.username, safe='')}:{quote(proxy.password or '', safe='')}@"
    return f"{'http' if proxy.type_ == 'HTTP' else 'socks5h'}://{user}{proxy.address}:{proxy.port}"


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY means a host: `*`, its name or a parent, its address, `10.0.0.0/8`, `name:port`."""
    if entry == "*":
        return True
    name, _, wanted_port = entry.rpartition(":")
    if wanted_port.isdigit() and (name.endswith("]") or (name and ":" not in name)):
        if int(wanted_port) != port:
            return False
        entry = name
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        name = entry.lstrip("*").lstrip(".")
        return host == name or host.endswith(f".{name}")
