"""What counts as true where a flow asks for a condition."""

from __future__ import annotations

_FALSE = frozenset({"", "0", "-0", "false"})


def truthy(rendered: str | None) -> bool:
    """Whether a rendered condition holds: all but "", "0", "-0", "false" and null (the reference's TruthUtils).

    It looks at the exact text: " false", "False" and "null" are true.
    """
    return rendered is not None and rendered not in _FALSE
