"""Values as they are given on the command line: NAME=VALUE, and the files they name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from core.cli.command import UsageError
from core.errors import NotFound


def pairs(what: str, given: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as a map. Raises UsageError for one without `=` and for a name given twice."""
    found: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise UsageError(f"the {what} `{text}` has no value", expected="NAME=VALUE")
        if name in found:
            raise UsageError(f"the {what} `{name}` is given twice")
        found[name] = value
    return found


def given_value(name: str, text: str, *, is_file: bool = False) -> str:
    """`@FILE` is the path for an input of type FILE, the file's text for others. Raises NotFound, UsageError."""
    if text.startswith("@@"):
        return text[1:]
    if not text.startswith("@"):
        return text
    path = Path(os.path.expanduser(text[1:]))
    if not os.path.isfile(path):  # unlike those of Path, both take any text
        raise NotFound(f"the file for the input `{name}` does not exist", where=str(path))
    if is_file:
        return str(path.absolute())
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file for the input `{name}` can't be read: {error}", where=str(path)) from error
