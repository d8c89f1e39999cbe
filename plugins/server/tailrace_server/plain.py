"""Recorded values as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.host.plain import plain, plain_text
from core.sdk import TooLarge


def json_bytes(value: Any) -> bytes:
    """A value as JSON, as `--json` of the command line shows it. Raises TooLarge for endless nesting."""
    try:
        try:
            return _QUICK.encode(value).encode()
        except ValueError:  # half of a pair of UTF-16, which needs an escape, or a number that JSON does not have
            return _ESCAPED.encode(plain(value)).encode()
    except RecursionError as error:
        raise TooLarge("the value is nested too deeply to be shown") from error


def _other(value: object) -> Any:
    """What `json` itself does not know."""
    return plain(value) if isinstance(value, (Mapping, set, frozenset)) else plain_text(value)


_QUICK = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_other)
_ESCAPED = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_other)
