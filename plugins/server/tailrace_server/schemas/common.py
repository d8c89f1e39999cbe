"""Shapes that many resources share."""

from __future__ import annotations

from typing import Annotated, Literal

from attrs import frozen
from msgspec import Meta

from tailrace_server.ids import PATTERN

Id = Annotated[str, Meta(pattern=f"^{PATTERN}$", examples=["01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"])]
Time = Annotated[
    str,
    Meta(description="ISO 8601, in UTC, to the microsecond.", examples=["2025-06-23T08:15:30.123456Z"]),
]
State = Literal[
    "CREATED", "QUEUED", "RUNNING", "PAUSED", "RETRYING", "RETRIED", "RESTARTED",
    "KILLING", "SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "SKIPPED",
]  # fmt: skip
Status = Literal["queued", "running", "completed", "failed", "deleted", "stale"]


@frozen
class ErrorDetail:
    """One thing that is wrong."""

    path: Annotated[
        str,
        Meta(description="`query.NAME`, `header.NAME`, `path.NAME`, `$.key` of the body, or a place in what was sent; "
                         "empty where there is none.", examples=["query.limit"]),
    ]  # fmt: skip
    message: Annotated[str, Meta(examples=["`0` is not a whole number from 1 to 1000"])]


@frozen
class ErrorBody:
    """What went wrong."""

    code: Annotated[str, Meta(description="A word for programs, one for each kind of error.", examples=["invalid"])]
    message: Annotated[str, Meta(examples=["the query has parameters that can't be read"])]
    details: list[ErrorDetail]


@frozen
class Error:
    """Every answer that is no success."""

    error: ErrorBody
    request_id: Annotated[str, Meta(description="As in `X-Request-ID`; the log of the server has it too.",
                                    examples=["6f1f0c9d2b7e-00002a"])]  # fmt: skip


Next = Annotated[
    str | None,
    Meta(description="Where the list goes on: a path with a query, to be asked from the same server. Null at its end. "
                     "A page whose filter looked at very many rows may be short, even empty, and still have one."),
]  # fmt: skip
HasMore = Annotated[bool, Meta(description="Whether the list goes on after this page.")]
Count = Annotated[int | None, Meta(description="With `count=true`: how many rows the filters have, the page aside.")]
