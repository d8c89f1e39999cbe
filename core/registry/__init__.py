"""Which plugins and types exist, and the one strict converter of their properties."""

from core.registry.convert import build, convert, problems
from core.registry.entries import PluginInfo, TypeEntry
from core.registry.load import load_registry
from core.registry.problem import PropertyProblem, path_text
from core.registry.registry import Registry

__all__ = [
    "PluginInfo", "PropertyProblem", "Registry", "TypeEntry", "build", "convert", "load_registry", "path_text",
    "problems",
]  # fmt: skip
