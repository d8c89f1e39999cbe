"""Exit codes: one table for errors, one rule for how an execution ended."""

from __future__ import annotations

from core.errors import Kind
from core.model.state import ENDED, status_of

OK = 0
FAILED = 1
USAGE = 2
MISSING = 3
WAITING = 4
INTERNAL = 70
"""A mistake of this program itself: a file says where it happened."""
INTERRUPTED = 130
READER_GONE = 141
"""Whoever read our output went away (`| head`): what a shell reports for any program that ends so."""

_OF_KIND: dict[Kind, int] = {
    "invalid": USAGE,
    "missing": USAGE,
    "conflict": FAILED,
    "forbidden": USAGE,
    "unreachable": MISSING,
    "too_large": FAILED,
    "interrupted": INTERRUPTED,
    "failed": FAILED,
    "internal": FAILED,
}


def code_of_error(kind: Kind) -> int:
    """The exit code for an error that reached the user."""
    return _OF_KIND[kind]


def code_of_state(state: str, *, interrupted: bool = False) -> int:
    """The exit code of `run`: 0 also for WARNING, 4 when only a person can continue, 130 after Ctrl-C."""
    if status_of(state) == "completed":
        return OK
    if interrupted:
        return INTERRUPTED
    return FAILED if state in ENDED else WAITING
