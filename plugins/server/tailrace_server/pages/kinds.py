"""Numbers among values, and numbers for people."""

from __future__ import annotations

from typing import Final

NUMBERS: Final = frozenset({"whole number", "number"})
"""The words of `core.host.kinds` for what has an order of numbers."""


def counted(number: int) -> str:
    """`1 200`."""
    return f"{number:,}".replace(",", "\u202f")
