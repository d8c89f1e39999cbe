"""What a rendered value becomes, from the table that is also the converter's test."""

from __future__ import annotations

import re
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from docs._generator.markdown import code, joined, table
from tests.registry.conversion_table import BECOMES, REFUSED

_MODULES = re.compile(r"\b(?:typing|datetime|collections\.abc|tests\.registry\.conversion_table)\.")
_LONGEST = 80
_MEMBER = re.compile(r"<(\w+\.\w+): [^>]*>")


def page() -> str:
    return joined(
        "# How values are converted",
        "A property declares a Python type. The value that a flow gives it, after its expressions were rendered, "
        "becomes that type or is refused; nothing is guessed. Each row is a test "
        "(`tests/registry/conversion_table.py`).",
        "## What fits",
        table(
            ["declared", "given", "becomes"],
            ((code(_type(row.annotation)), code(_value(row.given)), code(_value(row.value))) for row in BECOMES),
        ),
        "## What is refused",
        table(
            ["declared", "given", "where", "message", "expected"],
            (
                (code(_type(row.annotation)), code(_value(row.given)), code(row.where), row.message, row.expected)
                for row in REFUSED
            ),
        ),
    )


def _type(annotation: Any) -> str:
    """An annotation, the same whatever the Python version: unions with bars."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join("None" if each is NoneType else _type(each) for each in get_args(annotation))
    return _MODULES.sub("", str(annotation))


def _value(value: object) -> str:
    """A value as it is written in Python, the same whatever the platform; of a very long one the beginning."""
    written = _MEMBER.sub(r"\1", _MODULES.sub("", repr(value)).replace("PosixPath", "Path"))
    return written if len(written) <= _LONGEST else f"{written[:_LONGEST]}…"
