"""Requests to a server's API, and its errors as ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import sleep
from typing import Any, BinaryIO, cast
from urllib.parse import SplitResult, parse_qs, quote, urlencode, urlsplit

from core.errors import Conflict, Forbidden, Interrupted, Invalid, NotFound, TailraceError, TooLarge, Unreachable

BASE = "/api/v1"
SECONDS = 60
"""How long an answer may take."""
PATIENCE = 60
"""Seconds that a rate limit is waited for."""
Query = Mapping[str, str | int | Sequence[str] | None]

_OF_REQUESTS = ("query.", "header.", "path.", "$")
_ERRORS: dict[str, type[TailraceError]] = {
    "invalid": Invalid,
    "missing": NotFound,
    "conflict": Conflict,
    "precondition_failed": Conflict,
    "forbidden": Forbidden,
    "unauthorized": Forbidden,
    "too_large": TooLarge,
    "interrupted": Interrupted,
}


class Connection:
    """One connection, kept open; for one thread. To be closed.

    url: of the server, such as https://flows.example. Raises Invalid for one that is no URL of a server; every method
    raises what the server answers as an error of `core.errors`, and Unreachable when there is no answer.
    """

    def __init__(self, url: str, api_key: str) -> None:
        parts = _parts(url)
        if re.search(r"[^!-~]", api_key):
            raise Invalid("this is not an API key", where="setting api_key", expected="no blanks, and ASCII only")
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._root = parts.path.rstrip("/").removesuffix(BASE) + BASE
        self._http = make(parts.hostname or "", parts.port, timeout=SECONDS)
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON of a resource."""
        return _parsed(self._send("GET", path, query, None), self.url)

    def text(self, path: str) -> str:
        """The text of a resource."""
        return self._send("GET", path, None, None).read().decode("utf-8", "surrogatepass")

    def size(self, path: str, query: Query) -> int:
        """How many bytes a resource has."""
        response = self._send("HEAD", path, query, None)
        response.read()
        return int(response.headers.get("Content-Length") or 0)

    def open(self, path: str, query: Query) -> BinaryIO:
        """The bytes of a resource as a stream, to be read before anything else is asked."""
        return cast(BinaryIO, self._send("GET", path, query, None))

    def beginning(self, path: str, size: int) -> str:
        """The first bytes of a resource as text; a sign that is cut off at the end is left out."""
        response = self._send("GET", path, None, None, {"Range": f"bytes=0-{size - 1}"})
        return response.read().decode("utf-8", "ignore")

    def post(self, path: str, body: Any = None, query: Query | None = None) -> Any:
        """What the server answers to an action."""
        return _parsed(self._send("POST", path, query, {} if body is None else body), self.url)

    def close(self) -> None:
        self._http.close()

    # -- one request

    def _send(
        self, method: str, path: str, query: Query | None, body: Any, more: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        target = self._root + quote(path, errors="surrogatepass") + _query(query)
        content = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, **(more or {})} | ({"Content-Type": "application/json"} if content else {})
        waited = 0
        while True:
            response = self._answer(method, target, content, headers)
            if response.status != 429 or waited >= PATIENCE:
                break
            response.read()
            pause = _pause(response.headers.get("Retry-After") or "")
            sleep(pause)
            waited += pause
        if response.status >= 400:
            raise self._error(response)
        return response

    def _answer(self, method: str, target: str, content: bytes | None, headers: Mapping[str, str]) -> HTTPResponse:
        """The answer; a connection that the server has closed meanwhile is opened anew, which harms no GET."""
        again = method in ("GET", "HEAD") and self._http.sock is not None
        try:
            self._http.request(method, target, content, dict(headers))
            return self._http.getresponse()
        except (OSError, HTTPException) as error:
            self._http.close()
            if again and isinstance(error, (ConnectionError, HTTPException)):
                return self._answer(method, target, content, headers)
            raise Unreachable(
                f"the server does not answer: {_reason(error)}", where=self.url, expected="a server that runs there"
            ) from error

    def _error(self, response: HTTPResponse) -> TailraceError:
        try:
            told = json.loads(response.read())
            error = told["error"]
            code, message, details = str(error["code"]), str(error["message"]), error["details"]
        except (ValueError, KeyError, TypeError):
            return Unreachable(f"the answer is an error of another program: {response.status}", where=self.url)
        if code == "unauthorized":
            return Forbidden(message, where=self.url, hint="give a key with --api-key")
        if code in _ERRORS:
            where, expected = _place(details)
            return _ERRORS[code](message, where=where, expected=expected)
        request = f"; its log says more of the request {told.get('request_id')}" if response.status >= 500 else ""
        return Unreachable(f"the server refuses: {message}{request}", where=self.url)


def next_of(page: Mapping[str, Any]) -> str | None:
    """The id that a list goes on after."""
    given = parse_qs(urlsplit(page["next"] or "").query)
    return next((given[name][-1] for name in ("starting_after", "ending_before") if name in given), None)


def _place(details: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """(where, expected) out of the details of an answer; where a parameter of the API is wrong says nothing here."""
    expected = [one["message"].removeprefix("expected: ") for one in details if one["message"].startswith("expected: ")]
    others = [one["message"] for one in details if not one["message"].startswith("expected: ")]
    places = [one["path"] for one in details if not one["path"].startswith(_OF_REQUESTS)]
    return next(iter(places), ""), "; ".join([*expected, *others])


def _query(given: Query | None) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in (given or {}).items():
        if value is not None:
            pairs += [(name, str(one)) for one in ([value] if isinstance(value, (str, int)) else value)]
    return f"?{urlencode(pairs, errors='surrogatepass')}" if pairs else ""


def _parsed(response: HTTPResponse, url: str) -> Any:
    content = response.read()
    try:
        return json.loads(content) if content else None
    except ValueError as error:
        raise Unreachable("what answers there is not this product's API", where=url) from error


def _pause(told: str) -> int:
    """Seconds to wait; a date, which HTTP allows as well, says no number."""
    return min(max(int(told), 1), PATIENCE) if re.fullmatch("[0-9]{1,9}", told) else 1


def _parts(url: str) -> SplitResult:
    """The URL of a server. Raises Invalid."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        named = parts.hostname is not None and bool(parts.hostname.encode("idna"))
    except ValueError:  # a host that no name server can be asked for is one as well
        named = False
    if not named or parts.scheme not in ("http", "https") or not _is_port(parts.netloc) or not parts.path.isascii():
        raise Invalid("this is not the URL of a server", where="setting server", expected="https://HOST[:PORT]")
    return parts


def _is_port(place: str) -> bool:
    port = place.rpartition("@")[2].rpartition("]")[2].partition(":")
    return not port[1] or bool(re.fullmatch(r"\d{1,5}", port[2]) and int(port[2]) < 65536)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).lower()
