"""`{{ … }}`: the template language. Templates are compiled once into closures; a Renderer evaluates them."""

from core.expressions.calls import ENGINE_FUNCTIONS
from core.expressions.checking import check
from core.expressions.references import Reference, references
from core.expressions.render import Renderer
from core.expressions.values import Entry, Instant, to_json
from core.model.truth import truthy as is_truthy

__all__ = [
    "ENGINE_FUNCTIONS",
    "Entry",
    "Instant",
    "Reference",
    "Renderer",
    "check",
    "is_truthy",
    "references",
    "to_json",
]
