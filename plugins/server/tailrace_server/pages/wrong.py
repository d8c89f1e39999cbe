"""What went wrong, for people: a page of the same look, or the way to the sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from attrs import frozen

from tailrace_server.errors import Failure
from tailrace_server.pages.looks import HEADERS, Looks
from tailrace_server.people import href

API = "/api/"
"""Below this nothing is a page."""
SIGN_IN = "/sign-in"
TITLES = {401: "Sign in first", 403: "Not allowed", 404: "Not found", 422: "Not understood"}
"""Of some statuses; others have the phrase of HTTP."""


@frozen
class Answer:
    """What is sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def is_for_people(path: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is that of a browser for a page; scripts of pages, like other programs, are told as the API
    tells them."""
    return not path.startswith(API) and "text/html" in headers.get("accept", "")


def wrong_page(looks: Looks, scope: Mapping[str, Any], headers: Mapping[str, str], failure: Failure) -> Answer:
    """The answer to a request that failed. headers: of the request."""
    if failure.status == 401 and "authorization" not in headers:
        return Answer(303, {"location": href(SIGN_IN, next=_asked_for(scope))})
    facts = {
        "title": TITLES.get(failure.status, HTTPStatus(failure.status).phrase),
        "failure": failure,
        "request_id": scope["state"]["request_id"],
    }
    more = {"content-type": "text/html; charset=utf-8", **failure.headers, **HEADERS}
    return Answer(failure.status, more, looks.page(scope, "wrong.html", facts).encode())


def _asked_for(scope: Mapping[str, Any]) -> str:
    """Where to go on after the sign-in; what a form would have changed is not done then."""
    if scope["method"] not in ("GET", "HEAD"):
        return ""
    path: bytes = scope.get("raw_path") or b""
    query: bytes = scope["query_string"]
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")
