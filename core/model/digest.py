"""SHA-256 of what is at hand as bytes."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any

SMALL = 4096
"""Bytes up to which Python's own SHA-256 is fast enough; from 10 000 on that of OpenSSL takes a fifth of the time."""
MEDIUM = 512 * 1024
"""The same for what is seldom hashed, where OpenSSL is not loaded yet: that takes as long as hashing a megabyte."""
_OWN = "_sha2" if sys.version_info >= (3, 12) else "_sha256"


def digest(data: bytes, *, seldom: bool = False) -> str:
    """The SHA-256 of some bytes in hexadecimal digits. seldom: most processes hash only one such text."""
    own = len(data) <= (MEDIUM if seldom and "hashlib" not in sys.modules else SMALL)
    make = _own() if own else import_module("hashlib").sha256
    found: str = make(data).hexdigest()
    return found


@cache
def _own() -> Any:
    """That of Python itself, where it was built with one: hashlib loads OpenSSL, a thirtieth of a small run."""
    try:
        return import_module(_OWN).sha256
    except ImportError:
        return import_module("hashlib").sha256
