"""Inputs of a flow: their declarations, and the pure typing of values given for them."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

INPUT_TYPES = (
    "STRING", "INT", "FLOAT", "BOOLEAN", "BOOL", "DATETIME", "DATE", "TIME", "DURATION", "JSON", "YAML", "URI",
    "SELECT", "MULTISELECT", "ENUM", "ARRAY", "FILE", "EMAIL",
)  # fmt: skip


@frozen
class Input:
    """One declared input. `defaults` may hold an expression; `options` are the properties of its type as written."""

    id: str
    type: str
    required: bool = True
    defaults: object = None
    has_defaults: bool = False
    description: str = ""
    display_name: str = ""
    options: Mapping[str, object] = field(factory=dict)
