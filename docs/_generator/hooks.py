"""The hooks of the plugin system, out of their specifications."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from core.sdk import hooks
from docs._generator.doors import function_lines
from docs._generator.markdown import code, docstring, fence, joined, table
from docs._generator.types import registry

_MARK = f"{hooks.PROJECT}_spec"


def specifications() -> dict[str, Any]:
    """Each hook by its name."""
    return {name: thing for name, thing in vars(hooks).items() if inspect.isfunction(thing) and hasattr(thing, _MARK)}


def page() -> str:
    return joined(
        "# Hooks",
        "A plugin is a module named by an entry point of the group `tailrace.plugins`. A module that merely holds "
        "classes of task types and task runners needs no hook: they are found. Hooks are for those who want nothing "
        "imported until it is used, and for what is not a class.",
        fence('[project.entry-points."tailrace.plugins"]\nshout = "tailrace_shout.tasks"', "toml"),
        "A function of that module with a hook's name is marked by `core.sdk.hookimpl` ([the first door](sdk.md)). "
        f"The version of this interface is `core.sdk.API_VERSION`, now {hooks.API_VERSION}.",
        *_sections(),
        "## Who uses them",
        table(["plugin", "distribution", "what it brings"], _plugins()),
    )


def _sections() -> Iterator[str]:
    for name, function in specifications().items():
        yield f"## {name}"
        yield docstring(function)
        yield fence("\n".join(["@hookimpl", *function_lines(name, function, with_docstring=False)]), "python")


def _plugins() -> Iterator[tuple[str, str, str]]:
    for plugin in sorted(registry().plugins(), key=lambda one: one.name):
        if plugin.distribution.split("-")[0] == hooks.PROJECT:
            yield plugin.name, code(plugin.distribution), ", ".join(code(name) for name in plugin.brings)
