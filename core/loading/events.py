"""The events of a YAML text: libyaml's, and where that is too old for the text, those of the parser in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined] # passed on from the module in C
from ruamel.yaml.error import MarkedYAMLError

T = TypeVar("T")
NextEvent = Callable[[], Any]
LONGEST_IN_PYTHON = 250_000
"""Characters: what the parser in Python reads in about three seconds."""


def from_events(text: str, use: Callable[[NextEvent], T]) -> T:
    """What `use` makes of the events of a text, given what gives the next one. Raises YAMLError.

    The libyaml that is built in refuses `:` and `?` inside a plain scalar between brackets, as in
    `{uri: http://host, cron: 0 0 ? * *}`, which the reference takes; such a text is read once more in Python, which is
    many times slower and so not done for the others, nor for a very long text, where quotes help.
    """
    try:
        return use(CParser(text).get_event)
    except MarkedYAMLError as error:
        refused = error.problem == "found unexpected ':'" or _stands_at(text, "?", error.problem_mark)
        if not refused or len(text) > LONGEST_IN_PYTHON:
            raise
    from ruamel.yaml import YAML  # noqa: PLC0415 - heavy, and few texts need it

    return use(YAML(typ="safe", pure=True).parse(text).__next__)


def _stands_at(text: str, sign: str, mark: Any) -> bool:
    lines = text.removeprefix("\ufeff").splitlines()
    return mark is not None and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == sign
