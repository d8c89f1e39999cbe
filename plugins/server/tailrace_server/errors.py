"""Errors as answers: one shape, and one table from kinds to statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from attrs import field, frozen
from litestar.exceptions import HTTPException, InternalServerException

from core.sdk import TailraceError

STATUS_OF_KIND: Final[Mapping[str, int]] = {
    "invalid": 422,
    "missing": 404,
    "conflict": 409,
    "forbidden": 403,
    "unreachable": 503,
    "too_large": 413,
    "interrupted": 503,
    "failed": 500,
    "internal": 500,
}
"""The kinds of `core.errors`; they are the codes of the answers too."""

CODE_OF_STATUS: Final[Mapping[int, str]] = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "missing",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "too_slow",
    409: "conflict",
    412: "precondition_failed",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "invalid",
    428: "precondition_required",
    429: "rate_limited",
    500: "internal",
    503: "unreachable",
}
"""What only HTTP knows."""

GONE = "client disconnected prematurely"
"""What Litestar says of a client that leaves in the middle of its body: no mistake of ours, and no news."""
OURS = ("unreachable", "internal")
"""Kinds that are about the server: their places are paths and addresses of its own, which only its log tells."""
Details = tuple[tuple[str, str], ...]


class Refused(TailraceError):
    """A request that is refused for a reason of HTTP's own.

    details: (path, message) of everything that is wrong; a path is `query.NAME`, `header.NAME`, `path.NAME` or `$.key`
    of the body. headers: of the answer.
    """

    kind = "invalid"

    def __init__(
        self,
        status: int,
        what: str,
        *,
        details: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what)
        self.status = status
        self.details: Details = tuple(details)
        self.headers = dict(headers or {})


@frozen
class Failure:
    """An error as it is answered. explained: in the log of the server, for whoever runs it."""

    status: int
    code: str
    message: str
    details: Details = ()
    headers: Mapping[str, str] = field(factory=dict)
    explained: bool = False

    def body(self, request_id: str) -> dict[str, Any]:
        """The one shape of errors."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "details": [{"path": path, "message": message} for path, message in self.details],
            },
            "request_id": request_id,
        }


def failure_of(error: BaseException) -> Failure:
    """What a client is told of an error; nothing of what is ours alone."""
    if isinstance(error, Refused):
        code = CODE_OF_STATUS[error.status]
        return Failure(error.status, code, error.what, error.details, error.headers)
    if isinstance(error, TailraceError):
        ours = error.kind in OURS
        return Failure(STATUS_OF_KIND[error.kind], error.kind, error.what, () if ours else _details(error), {}, ours)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _of_http(error)
    if isinstance(error, InternalServerException) and error.detail == GONE:
        return Failure(400, CODE_OF_STATUS[400], "the body did not come to its end")
    return Failure(500, "internal", "this is a mistake of the server; its log says more", explained=True)


def _details(error: TailraceError) -> Details:
    """Everything that is wrong, each with its place. Hints are left out: they name commands, not requests."""
    problems: tuple[str, ...] = getattr(error, "problems", ())
    if problems:
        return tuple((error.where, problem) for problem in problems)
    if error.where or error.expected:
        return ((error.where, f"expected: {error.expected}" if error.expected else error.what),)
    return ()


def _of_http(error: HTTPException) -> Failure:
    """What the framework refuses before one of our functions is called."""
    status = 422 if error.status_code == 400 else error.status_code
    message = {404: "there is nothing at this path", 405: "this path does not know this method"}.get(status)
    code = CODE_OF_STATUS.get(status, "invalid")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if "allow" in headers:  # what can be read can be asked for its head
        methods = set(headers["allow"].split(", "))
        headers["allow"] = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
    return Failure(status, code, message or str(error.detail) or HTTPStatus(status).phrase, headers=headers)
