"""States of executions and task executions, and the status that is computed from them."""

from __future__ import annotations

from typing import Literal

State = Literal[
    "CREATED", "QUEUED", "RUNNING", "PAUSED", "RETRYING", "RETRIED", "RESTARTED",
    "KILLING", "SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "SKIPPED",
]  # fmt: skip
Status = Literal["queued", "running", "completed", "failed", "deleted", "stale"]

ENDED: frozenset[str] = frozenset({"SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED", "SKIPPED"})
_STATUS: dict[str, Status] = {
    "CREATED": "queued", "QUEUED": "queued",
    "RUNNING": "running", "PAUSED": "running", "RETRYING": "running", "RESTARTED": "running", "KILLING": "running",
    "SUCCESS": "completed", "WARNING": "completed", "SKIPPED": "completed",
    "FAILED": "failed", "KILLED": "failed", "CANCELLED": "failed", "RETRIED": "failed",
}  # fmt: skip
STATES: tuple[str, ...] = tuple(_STATUS)
STATUSES: tuple[Status, ...] = ("queued", "running", "completed", "failed", "deleted", "stale")


def status_of(state: str, *, deleted: bool = False, stale: bool = False) -> Status:
    """The API's status: computed, never stored."""
    if deleted:
        return "deleted"
    return "stale" if stale else _STATUS[state]


def states_of(status: str) -> tuple[str, ...]:
    """The states that a status stands for; none for `deleted` and `stale`, which are not about the state."""
    return tuple(state for state, shown in _STATUS.items() if shown == status)
