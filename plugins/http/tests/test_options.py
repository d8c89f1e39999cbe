from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core.registry.convert import convert
from core.sdk import Invalid, to_plain
from tailrace_http.options import Options, Ssl, Terms


def terms(options: Mapping[str, Any], **older: Any) -> Terms:
    converted: Options = convert(options, Options)
    return converted.terms(**{"allow_failed": False, "ssl": None, **older})


def test_the_defaults_are_those_of_the_reference() -> None:
    found = terms({})
    assert (found.timeout.connect_timeout, found.timeout.read_idle_timeout) == (
        timedelta(seconds=10),
        timedelta(minutes=5),
    )
    assert (found.auth, found.proxy, found.trust_all, found.logs, found.max_length) == (None, None, False, (), None)
    assert (found.follow_redirects, found.charset) == (True, "UTF-8")


@pytest.mark.parametrize(
    ("older", "today"),
    [
        ({"connectTimeout": "PT3S"}, {"timeout": {"connectTimeout": "PT3S"}}),
        ({"readTimeout": "PT3S"}, {"timeout": {"readIdleTimeout": "PT3S"}}),
        (
            {"basicAuthUser": "u", "basicAuthPassword": "p"},
            {"auth": {"type": "BASIC", "username": "u", "password": "p"}},
        ),
        (
            {"proxyType": "HTTP", "proxyAddress": "a", "proxyPort": 1, "proxyUsername": "u", "proxyPassword": "p"},
            {"proxy": {"type": "HTTP", "address": "a", "port": 1, "username": "u", "password": "p"}},
        ),
        ({"logLevel": "INFO"}, {"logs": ["RESPONSE_HEADERS"]}),
        ({"logLevel": "DEBUG"}, {"logs": ["REQUEST_HEADERS", "RESPONSE_HEADERS"]}),
        (
            {"logLevel": "TRACE"},
            {"logs": ["REQUEST_HEADERS", "REQUEST_BODY", "RESPONSE_HEADERS", "RESPONSE_BODY"]},
        ),
        ({"logLevel": "ERROR"}, {}),
    ],
)
def test_an_older_form_means_the_same_as_todays(older: Mapping[str, Any], today: Mapping[str, Any]) -> None:
    for name in ("auth", "timeout", "proxy", "logs"):
        assert to_plain(getattr(terms(older), name)) == to_plain(getattr(terms(today), name))


def test_todays_form_wins_over_the_older_one() -> None:
    both = {"connectTimeout": "PT3S", "timeout": {"connectTimeout": "PT4S"}}
    assert terms(both).timeout.connect_timeout == timedelta(seconds=4)


def test_the_older_forms_on_the_task_hold_too() -> None:
    found = terms({}, allow_failed=True, ssl=Ssl(insecure_trust_all_certificates=True))
    assert (found.allow_failed, found.trust_all) == (True, True)


@pytest.mark.parametrize(
    ("options", "code", "accepted"),
    [
        ({}, 399, True),
        ({}, 400, False),
        ({"allowFailed": True}, 500, True),
        ({"allowedResponseCodes": [404]}, 404, True),
        ({"allowedResponseCodes": [404]}, 200, False),
        ({"allowedResponseCodes": [404], "allowFailed": True}, 500, False),
    ],
)
def test_which_status_is_a_success(options: Mapping[str, Any], code: int, accepted: bool) -> None:
    assert terms(options).accept(code) == accepted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"basicAuthUser": "u"},
            "$.options.auth: authentication of type BASIC has no password\n"
            "  expected: {type: BASIC, username: …, password: …}",
        ),
        (
            {"auth": {"type": "BEARER"}},
            "$.options.auth: authentication of type BEARER has no token\n  expected: {type: BEARER, token: …}",
        ),
        (
            {"auth": {"type": "DIGEST", "token": "t"}},
            "$.options.auth: authentication of type DIGEST has no username and no password\n"
            "  expected: {type: DIGEST, username: …, password: …}",
        ),
        (
            {"defaultCharset": "UTF-9"},
            "$.options.defaultCharset: `UTF-9` is not a charset\n  expected: UTF-8, …",
        ),
        (
            {"defaultCharset": "hex"},
            "$.options.defaultCharset: `hex` is not a charset\n  expected: UTF-8, …",
        ),
    ],
)
def test_options_that_can_not_be_kept_are_refused(options: Mapping[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        terms(options)
    assert str(refused.value) == message
