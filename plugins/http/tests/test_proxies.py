from __future__ import annotations

import pytest

from core.sdk import Invalid
from tailrace_http.options import Proxy
from tailrace_http.proxies import choose_proxies


def test_without_options_and_environment_there_is_no_proxy() -> None:
    assert choose_proxies(None, {}).proxy_for("https", "example.com", 443) is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_environment_names_the_proxy_in_both_cases(name: str) -> None:
    assert choose_proxies(None, {name: "http://p:1"}).proxy_for("https", "example.com", 443) == "http://p:1"


def test_each_scheme_has_its_own_proxy_and_lower_case_comes_first() -> None:
    choice = choose_proxies(
        None, {"HTTP_PROXY": "http://upper:1", "http_proxy": "lower:2", "HTTPS_PROXY": "http://s:3"}
    )
    assert choice.proxy_for("http", "example.com", 80) == "http://lower:2"
    assert choice.proxy_for("https", "example.com", 443) == "http://s:3"


@pytest.mark.parametrize(
    ("no_proxy", "host", "bypassed"),
    [
        ("*", "example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "api.example.com", True),
        (".example.com", "api.example.com", True),
        ("*.example.com", "api.EXAMPLE.com", True),
        ("example.com", "badexample.com", False),
        ("other.org, example.com", "example.com", True),
        ("example.com:443", "example.com", True),
        ("example.com:8443", "example.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("[::1]:443", "::1", True),
        ("", "example.com", False),
    ],
)
def test_no_proxy_lets_hosts_be_reached_directly(no_proxy: str, host: str, bypassed: bool) -> None:
    choice = choose_proxies(None, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": no_proxy})
    assert (choice.proxy_for("https", host, 443) is None) == bypassed


def test_options_override_the_environment() -> None:
    environment = {"HTTP_PROXY": "http://env:1", "NO_PROXY": "*"}
    written = Proxy(type_="HTTP", address="proxy.test", port=3128, username="a@b", password="p:w")
    assert choose_proxies(written, environment).proxy_for("http", "x", 80) == "http://a%40b:p%3Aw@proxy.test:3128"
    assert choose_proxies(Proxy(type_="DIRECT"), {"HTTP_PROXY": "http://env:1"}).proxy_for("http", "x", 80) is None


def test_a_socks_proxy_resolves_the_name_itself() -> None:
    written = Proxy(type_="SOCKS", address="proxy.test", port=1080)
    assert choose_proxies(written, {}).proxy_for("https", "x", 443) == "socks5h://proxy.test:1080"


def test_a_direct_proxy_with_an_address_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        choose_proxies(Proxy(address="proxy.test", port=1), {})
    assert str(refused.value) == (
        "$.options.proxy.type: the proxy proxy.test has the type DIRECT, which means no proxy\n"
        "  expected: HTTP or SOCKS"
    )


def test_a_proxy_without_a_port_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        choose_proxies(Proxy(type_="HTTP", address="proxy.test"), {})
    assert str(refused.value) == (
        "$.options.proxy: a proxy of type HTTP needs an address and a port\n"
        "  expected: {type: HTTP, address: proxy.example.com, port: 3128}"
    )


def test_a_proxy_of_the_environment_that_is_no_url_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        choose_proxies(None, {"HTTP_PROXY": "ftp://p:1"})
    assert str(refused.value) == (
        "HTTP_PROXY: `ftp://p:1` is not the URL of a proxy\n  expected: http://proxy.example.com:3128"
    )
