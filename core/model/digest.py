"""SHA-256 of what is at hand as bytes."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

SMALL = 4096
"""Bytes up to which Python's own SHA-256 is fast enough; from 10 000 on that of OpenSSL takes a fifth of the time."""
_OWN = ("_sha2", "_sha256", "hashlib")


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes in hexadecimal digits."""
    make = _own() if len(data) <= SMALL else import_module("hashlib").sha256
    found: str = make(data).hexdigest()
    return found


@cache
def _own() -> Any:
    """Python's own SHA-256 (from 3.12 on it has another name): hashlib loads OpenSSL, a thirtieth of a small run."""
    for name in _OWN:
        try:
            return import_module(name).sha256
        except ImportError:
            continue
    raise ImportError("this Python has no SHA-256")
