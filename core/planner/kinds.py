"""Which rules speak for a shape of node; imported when a flow first needs them, since most flows need few."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from core.planner.draft import Kind

_WHERE = {
    "Sequence": "groups", "Parallel": "groups", "Dag": "dag", "Choice": "loops", "Each": "loops",
    "Repeat": "waits", "Wait": "waits", "Call": "calls", "Group": "calls",
}  # fmt: skip


@lru_cache
def kind_of(node: type) -> Kind:
    """How this shape of node runs. Raises KeyError for Work, which needs no more than an attempt."""
    kind: Kind = getattr(import_module(f"core.planner.{_WHERE[node.__name__]}"), node.__name__.upper())
    return kind
