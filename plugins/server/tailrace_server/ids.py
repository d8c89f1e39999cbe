"""Ids as they come in paths and queries: whole ones only, none of the short forms that the command line knows."""

from __future__ import annotations

import re

from core.sdk import NotFound

PATTERN = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def is_id(text: str) -> bool:
    """Whether a text has the form of a record's id."""
    return re.fullmatch(PATTERN, text) is not None


def known_id(text: str, what: str) -> str:
    """An id from a path. Raises NotFound for what can't be one: there is no such `what`."""
    if not is_id(text):
        raise NotFound(f"there is no {what} of this id", where="path.id")
    return text
