"""What a rendered value becomes, from the table that is also the converter's test."""

from __future__ import annotations

from typing import Any, get_origin

from docs._generator.markdown import code, joined, table
from tests.registry.conversion_table import BECOMES, REFUSED


def page() -> str:
    return joined(
        "# How values are converted",
        "A property declares a Python type. The value that a flow gives it, after its expressions were rendered, becomes "
        "that type or is refused; nothing is guessed. Each row is a test (`tests/registry/conversion_table.py`).",
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
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "").replace("datetime.", "").replace(
        "tests.registry.conversion_table.", "")  # fmt: skip


def _value(value: object) -> str:
    """A value as Python shows it, the same whatever the platform."""
    return repr(value).replace("PosixPath", "Path").replace("datetime.", "").replace("tests.registry.", "")
