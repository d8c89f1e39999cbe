"""Programs and patterns, with what is known of where they come from."""

from __future__ import annotations

from typing import Any

from core.expressions.nodes import Expression, Literal, MapLiteral
from core.model.data import data


@data
class Written:
    """A jq program, a regular expression, or a map with those as keys.

    literal: it stands so in a template of the flow, and not in a text that `render()` was given.
    """

    value: Any
    literal: bool


def is_literal(expression: Expression) -> bool:
    return isinstance(expression, Literal)


def has_literal_keys(expression: Expression) -> bool:
    return isinstance(expression, MapLiteral) and all(isinstance(key, Literal) for key, _ in expression.entries)
