"""`{{ … }}`: the template language. Templates are compiled once into closures; a Renderer evaluates them.

A lazy door: a flow without expressions needs none of this, so users write `from core import expressions`, and what is
behind a name is imported when `expressions.Renderer` (or another) is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.expressions.calls import ENGINE_FUNCTIONS
    from core.expressions.checking import check
    from core.expressions.named import Reference, named_paths, references
    from core.expressions.quick import is_quick
    from core.expressions.render import Renderer, parsed
    from core.expressions.values import Entry, Instant, printed, to_json

__all__ = [
    "ENGINE_FUNCTIONS", "Entry", "Instant", "Reference", "Renderer", "check", "is_quick", "named_paths", "parsed",
    "printed", "references", "to_json",
]  # fmt: skip

_MODULES = {
    "calls": ("ENGINE_FUNCTIONS",),
    "checking": ("check",),
    "named": ("Reference", "named_paths", "references"),
    "quick": ("is_quick",),
    "render": ("Renderer", "parsed"),
    "values": ("Entry", "Instant", "printed", "to_json"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
            return found
    raise AttributeError(f"module `{__name__}` has no `{name}`")
