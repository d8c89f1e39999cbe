"""Attempts that wait: when they are called again, and what they are given then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import Invalid
from core.host.seam import TaskJob
from core.model.codec import decode, encode
from core.sdk.properties import to_plain
from core.sdk.wishes import WaitRequest
from core.work.context import AttemptContext

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def kept(job: TaskJob, secret: Callable[..., str]) -> tuple[int, Mapping[str, Any] | None]:
    """(when the attempt began, its state) of one that is called again; (0, None) of one that begins."""
    found = decode(job.waited, secret) if job.waited else {}
    if found.get("attempt") != job.attempt:
        return 0, None
    return found["began"], found["state"]


def kept_json(job: TaskJob, began: int, context: AttemptContext, state: Mapping[str, Any]) -> str:
    """What `kept` reads; secrets in the state are named, not told."""
    marked = context.redactor.mark(to_plain(dict(state)))
    calls = decode(job.waited)["calls"] + 1 if job.waited else 1
    return encode({"attempt": job.attempt, "began": began, "calls": calls, "state": marked})


def due_at(asked: WaitRequest, now: int, latest: int | None) -> int:
    """When it is to be called again, not after `latest`; microseconds since 1970 UTC. Raises Invalid."""
    if (asked.until is None) == (asked.wait_for is None):
        raise Invalid("a task that waits says until when or for how long", expected="`until` or `for_`, one of them")
    if asked.until is not None:
        if asked.until.tzinfo is None:
            raise Invalid(f"`{asked.until}` has no zone", expected="a date and time with one")
        due = (asked.until - _EPOCH) // timedelta(microseconds=1)
    else:
        due = now + (asked.wait_for or timedelta(0)) // timedelta(microseconds=1)
    return due if latest is None else min(due, latest)


def wait_here(micros: int, context: AttemptContext) -> None:
    """Keep the thread: members of a group, whose job goes on without a break, do so."""
    stopped = threading.Event()
    with context.on_stop(stopped.set):
        stopped.wait(min(max(micros, 0) / 1_000_000, threading.TIMEOUT_MAX))
